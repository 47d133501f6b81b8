package io.harmonica.sampler;

import java.util.List;

/**
 * Steps a noisy sample towards the picture; the loop around it is {@code generate}'s.
 *
 * <p>To add a sampler: one class beside {@link Ddim}, and its name in {@link #of}.
 */
public interface Sampler {

  /** The model's timesteps in execution order. */
  List<Integer> timesteps();

  /** Whether {@link #step} reads fresh noise at a step. */
  boolean needsNoise(int step);

  /**
   * Advances samples in place.
   *
   * @param step position in {@link #timesteps}
   * @param x the samples, any shape
   * @param epsilon the predicted noise, as many values
   * @param noise standard normal values, as many; read only if {@link #needsNoise}
   */
  void step(int step, float[] x, float[] epsilon, float[] noise);

  /**
   * A sampler by its name, for a model trained on linear betas.
   *
   * @throws IllegalArgumentException for an unknown name or step count
   */
  static Sampler of(
      String name,
      int steps,
      Spacing spacing,
      int trainTimesteps,
      double betaStart,
      double betaEnd) {
    if (!name.equals("ddim")) {
      throw new IllegalArgumentException("--sampler '%s' is unknown; use ddim".formatted(name));
    }
    return new Ddim(
        spacing.timesteps(steps, trainTimesteps),
        spacing,
        NoiseSchedule.linear(trainTimesteps, betaStart, betaEnd, spacing),
        0);
  }
}
