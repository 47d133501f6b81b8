package io.harmonica.sampler;

import java.util.Optional;

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

  /**
   * The picture that the last step's output meant, where the next step reads it; as many values as
   * samples.
   */
  default Optional<float[]> previous() {
    return Optional.empty();
  }

  /**
   * Goes on after steps that a server made.
   *
   * @param last of them
   * @param previous the picture that its output meant; empty where no further step reads it
   */
  default void resume(int last, Optional<float[]> previous) {
    throw new UnsupportedOperationException("only this stepper makes its steps");
  }

  /** Another one that goes its own way from here. */
  Stepper fork();
}
