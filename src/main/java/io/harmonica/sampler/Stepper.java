package io.harmonica.sampler;

/** One trajectory's way through a {@link Sampler}'s steps; multistep samplers remember in it. */
public interface Stepper {

  /**
   * Advances samples in place. Steps come in order, each once; a trajectory may begin midway.
   *
   * @param step position in {@link Sampler#timesteps}
   * @param x the samples, any shape
   * @param prediction of the model for these samples
   * @param noise standard normal values, as many as samples; read only if {@link
   *     Sampler#needsNoise}
   */
  void step(int step, float[] x, Prediction prediction, float[] noise);

  /** Another one that goes its own way from here. */
  Stepper fork();
}
