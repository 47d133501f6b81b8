package io.harmonica.generate;

import io.harmonica.repository.Names;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * A batch whose steps the runtime makes by itself, in one call of a {@link WholeModel}: it cannot
 * be followed or cancelled in the middle, and what it caches never leaves the runtime.
 */
final class WholeTrajectory implements Course {
  private static final Set<String> OUTPUTS = Set.of(Names.LATENTS);

  private final Runtime runtime;
  private final String model;
  private final Admitted admitted;
  private final Map<String, Tensor> inputs;
  private final int firstPicture;
  private final Recorder recorder;
  private float[] samples; // null before they are there
  private long callNanos;
  private long runtimeNanos;

  /**
   * Prepares a batch.
   *
   * @param model that makes all steps
   * @param inputs of it, the trajectory's to close
   * @param firstPicture index of the batch's first picture
   */
  WholeTrajectory(
      Runtime runtime,
      String model,
      Admitted admitted,
      Map<String, Tensor> inputs,
      int firstPicture,
      Recorder recorder) {
    this.runtime = runtime;
    this.model = model;
    this.admitted = admitted;
    this.inputs = inputs;
    this.firstPicture = firstPicture;
    this.recorder = recorder;
  }

  @Override
  public boolean isDone() {
    return samples != null;
  }

  @Override
  public void advance() {
    callNanos = System.nanoTime();
    accept(runtime.infer(model, inputs, OUTPUTS));
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> send() {
    callNanos = System.nanoTime();
    return runtime.inferAsync(model, inputs, OUTPUTS);
  }

  @Override
  public void accept(Map<String, Tensor> results) {
    runtimeNanos = System.nanoTime() - callNanos;
    try (Tensor latents = results.get(Names.LATENTS)) {
      FloatBuffer values = latents.floats();
      samples = new float[values.remaining()];
      values.get(samples);
    }
    int steps = admitted.sampler().timesteps().size();
    StepListener.Step last =
        new StepListener.Step(
            firstPicture,
            steps - 1,
            steps,
            admitted.sampler().timesteps().get(steps - 1),
            FloatBuffer.wrap(samples).asReadOnlyBuffer(),
            FloatBuffer.allocate(0));
    if (!recorder.onStep(last, runtimeNanos)) {
      throw new CancellationException("cancelled after all " + steps + " steps");
    }
  }

  @Override
  public float[] samples() {
    return samples;
  }

  @Override
  public long runtimeNanos() {
    return runtimeNanos;
  }

  @Override
  public long peakCacheBytes() {
    return 0;
  }

  @Override
  public void close() {
    inputs.values().forEach(Tensor::close);
  }
}
