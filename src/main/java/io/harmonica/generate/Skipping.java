package io.harmonica.generate;

import io.harmonica.repository.Names;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.SkipLayerGuidance;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The passes without some blocks that skip-layer guidance takes at some steps of a trajectory: each
 * a call beside the step's own, of the rows with the condition only. It computes all that it runs
 * and keeps nothing, whatever the router does at that step.
 */
final class Skipping implements AutoCloseable {
  private final Runtime runtime;
  private final Admitted admitted;
  private final SkipLayerGuidance guidance;
  private final TimestepInput times;
  private final Conditions conditions;
  private final Optional<Ahead> ahead;
  private final int pictures;
  private Map<String, Tensor> condition = Map.of(); // once a call took it
  private float[] prediction = {}; // (B, outputChannels, H, W)
  private int step = -1; // whose it is

  private Skipping(
      Runtime runtime,
      Admitted admitted,
      SkipLayerGuidance guidance,
      Conditions conditions,
      Optional<Ahead> ahead,
      int pictures) {
    this.runtime = runtime;
    this.admitted = admitted;
    this.guidance = guidance;
    this.times =
        new TimestepInput(runtime, admitted.wholeTimesteps(), admitted.sampler().timesteps());
    this.conditions = conditions.alone();
    this.ahead = ahead;
    this.pictures = pictures;
  }

  /** Of a trajectory of so many pictures; empty where it is guided without. */
  static Optional<Skipping> of(
      Runtime runtime,
      Admitted admitted,
      Conditions conditions,
      Optional<Ahead> ahead,
      int pictures) {
    return admitted
        .skipping()
        .map(some -> new Skipping(runtime, admitted, some, conditions, ahead, pictures));
  }

  /**
   * The call that a step needs beside its own, where it has not been made.
   *
   * @param index of the step's own call
   * @param from the sample that the step begins with, [B, C, H, W]
   */
  Optional<Calls.Call> call(int index, int at, float[] from) {
    return step != at && admitted.skipsAt(at)
        ? Optional.of(made(index, at, from))
        : Optional.empty();
  }

  private Calls.Call made(int index, int at, float[] from) {
    String plain = Names.skipping(admitted.manifest().model());
    String model = ahead.isPresent() ? Names.conditioned(plain) : plain;
    if (ahead.isEmpty() && condition.isEmpty()) {
      condition = conditions.of(1, input -> true);
    }
    Map<String, Tensor> own =
        Inputs.of(
            all -> {
              all.put(Names.SAMPLE, sample(from));
              if (ahead.isEmpty()) {
                all.put(Names.TIMESTEP, times.tensor(at, 1, pictures));
              } else {
                int row = admitted.guidance().row(0, pictures, true);
                all.putAll(ahead.get().rows(model, at, row, pictures));
              }
            });
    Map<String, Tensor> inputs = new HashMap<>(own);
    inputs.putAll(condition);
    return new Calls.Call(
        index,
        model,
        own,
        inputs,
        Set.of(Names.NOISE_PREDICTION),
        Optional.of(results -> take(results, at)));
  }

  private Tensor sample(float[] from) {
    return runtime.tensor(
        FloatBuffer.wrap(from),
        pictures,
        admitted.manifest().channels(),
        admitted.manifest().height(),
        admitted.manifest().width());
  }

  private void take(Map<String, Tensor> results, int at) {
    try (Tensor output = results.get(Names.NOISE_PREDICTION)) {
      FloatBuffer values = output.floats();
      prediction = new float[values.remaining()];
      values.get(prediction);
    }
    step = at;
  }

  /**
   * Adds it to a step's output, where the step is guided so.
   *
   * @param whole prediction of the step's own call
   * @param output guided already, [B, C, H, W]
   */
  void add(int at, FloatBuffer whole, float[] output) {
    if (!admitted.skipsAt(at)) {
      return;
    }
    int channels = admitted.manifest().channels();
    int outputChannels = admitted.manifest().outputChannels();
    int plane = admitted.manifest().height() * admitted.manifest().width();
    Guidance own = admitted.guidance();
    guidance.add(own, whole, prediction, output, channels, outputChannels, plane);
  }

  @Override
  public void close() {
    condition.values().forEach(Tensor::close);
  }
}
