package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Calls.Call;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.Program.Keep;
import io.harmonica.router.Schedule.Output;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Stepper;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * One batch on its way from noise to pictures: the denoising loop. Follows its program, owns the
 * cached branch outputs, and closes each after its last reader.
 *
 * <p>The loop is a state that calls move on: {@link #call} says what to run next, {@link #accept}
 * takes its results, until it {@link #isDone}. So one loop serves threads that wait ({@link #run})
 * and futures ({@link Flight}).
 */
final class Trajectory implements Course {
  private final Manifest manifest;
  private final Admitted admitted;
  private final Sampler sampler;
  private final Session session;
  private final Calls calls;
  private final float[] x; // (B, C, H, W)
  private final Prediction prediction;
  private final int firstPicture;
  private final Noise noise;
  private final Recorder recorder;
  private final Stepper stepper;
  private final Map<Output, Cached> cache = new HashMap<>();
  private int nextCall; // call of the program
  private Call open; // called and not yet accepted
  private long callNanos;
  private long runtimeNanos;
  private long peakCacheBytes;

  /** A branch output until the last call that reads it. */
  private record Cached(Tensor tensor, int lastCall) {}

  /**
   * Prepares a batch.
   *
   * @param session its calls at the runtime; the trajectory's to close
   * @param start the noise that it starts from
   * @param conditions makes what to draw
   * @param ahead what is made for many steps at once
   * @param firstPicture index of the batch's first picture, which {@code noise} goes by
   */
  Trajectory(
      Admitted admitted,
      Runtime runtime,
      Session session,
      Latents start,
      Conditions conditions,
      Optional<Ahead> ahead,
      int firstPicture,
      Noise noise,
      Recorder recorder) {
    this.manifest = admitted.manifest();
    this.admitted = admitted;
    this.sampler = admitted.sampler();
    this.session = session;
    this.calls = new Calls(admitted, runtime, conditions, ahead, start.count());
    this.x = start.values().clone();
    this.prediction =
        new Prediction(new float[x.length], sampler.needsVariance() ? new float[x.length] : null);
    this.firstPicture = firstPicture;
    this.noise = noise;
    this.recorder = recorder;
    this.stepper = sampler.start();
  }

  @Override
  public boolean isDone() {
    return nextCall == admitted.program().calls().size();
  }

  @Override
  public void advance() {
    Call call = call();
    accept(session.infer(call.index(), call.model(), call.inputs(), call.outputs()));
  }

  @Override
  public float[] samples() {
    return x;
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> send() {
    Call call = call();
    return session.inferAsync(call.index(), call.model(), call.inputs(), call.outputs());
  }

  /** The next call. Its inputs stay the trajectory's until {@link #accept}. */
  private Call call() {
    open =
        calls
            .before(nextCall, x)
            .orElseGet(
                () -> calls.at(nextCall, x, stepper.state(), output -> cache.get(output).tensor()));
    callNanos = System.nanoTime();
    return open;
  }

  /**
   * Takes the results of the last call: caches what later ones read, drops what none does, and
   * makes the step, guidance first, then the sampler's. After several steps the server has made it.
   */
  @Override
  public void accept(Map<String, Tensor> results) {
    runtimeNanos += System.nanoTime() - callNanos;
    Call call = closeOwn();
    if (call.beside().isPresent()) {
      call.beside().get().accept(results);
      return;
    }
    Program.Call planned = admitted.program().calls().get(call.index());
    for (Keep keep : planned.keeps()) {
      cache.put(keep.of(), new Cached(results.get(keep.output()), keep.lastCall()));
    }
    List<Tensor> state =
        manifest.steps().states().stream()
            .map(name -> results.get(Names.next(name)))
            .filter(Objects::nonNull)
            .toList();
    try (Tensor output = results.get(Calls.prediction(planned));
        Tensor next = results.get(Names.NEXT_SAMPLE)) {
      long cached = cache.values().stream().mapToLong(one -> one.tensor().sizeBytes()).sum();
      peakCacheBytes = Math.max(peakCacheBytes, cached);
      drop(call.index());
      FloatBuffer values = output.floats();
      if (planned.isStretch()) {
        next.floats().get(x); // the first half where guidance doubles it
        stepper.resume(planned.last(), state.stream().map(this::picturesOf).toList());
      } else {
        step(planned.first(), values);
      }
      requireFinite(planned.last());
      nextCall++;
      tell(planned.last(), values);
    } finally {
      state.forEach(Tensor::close);
    }
  }

  /** A tensor's values, of its first half where guidance doubles it. */
  private float[] picturesOf(Tensor tensor) {
    float[] values = new float[x.length];
    tensor.floats().get(values);
    return values;
  }

  private void drop(int call) {
    cache
        .values()
        .removeIf(
            cached -> {
              boolean isRead = cached.lastCall() == call;
              if (isRead) {
                cached.tensor().close();
              }
              return isRead;
            });
  }

  private void step(int s, FloatBuffer output) {
    guide(s, output);
    int size = manifest.channels() * manifest.height() * manifest.width();
    boolean noisy = sampler.needsNoise(s);
    float[] fresh = noisy ? noise.ofStep(s, firstPicture, x.length / size, size) : null;
    stepper.step(s, x, prediction, fresh);
  }

  private void tell(int s, FloatBuffer output) {
    int steps = sampler.timesteps().size();
    var event =
        new StepListener.Step(
            firstPicture,
            s,
            steps,
            sampler.timesteps().get(s),
            FloatBuffer.wrap(x).asReadOnlyBuffer(), // the next step begins with x
            output.asReadOnlyBuffer());
    if (!recorder.onStep(event, runtimeNanos)) {
      throw new CancellationException("cancelled after step " + (s + 1) + " of " + steps);
    }
  }

  private Call closeOwn() {
    Call call = open;
    open = null;
    if (call != null) {
      call.closeOwn();
    }
    return call;
  }

  private void guide(int s, FloatBuffer output) {
    int channels = manifest.channels();
    int outputChannels = manifest.outputChannels();
    int plane = manifest.height() * manifest.width();
    Guidance guidance = admitted.guidance();
    guidance.apply(output, prediction.output(), channels, outputChannels, plane);
    calls.skipping().ifPresent(skipping -> skipping.add(s, output, prediction.output()));
    if (sampler.needsVariance()) {
      guidance.variance(output, prediction.variance(), channels, outputChannels, plane);
    }
  }

  /** A wrong picture must not come out silently: fp16 can overflow, a checkpoint be broken. */
  private void requireFinite(int step) {
    for (float value : x) {
      if (!Float.isFinite(value)) {
        throw new HarmonicaException(
            HarmonicaException.Kind.MODEL,
            "model %s leads to %s at step %d (precision %s): %s"
                .formatted(
                    manifest.model(),
                    value,
                    step,
                    manifest.precision(),
                    manifest.precision().endsWith("fp16")
                        ? "its numbers overflow; export it with `precision` fp32"
                        : "its checkpoint holds NaN or numbers too large; try another"));
      }
    }
  }

  @Override
  public long runtimeNanos() {
    return runtimeNanos;
  }

  @Override
  public long peakCacheBytes() {
    return peakCacheBytes;
  }

  @Override
  public void close() {
    closeOwn();
    calls.close();
    cache.values().forEach(cached -> cached.tensor().close());
    cache.clear();
    session.close();
  }
}
