package io.harmonica.sampler;

import java.util.List;

/** One trajectory's way through a {@link Sampler}'s steps; what the sampler remembers is in it. */
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
   * What the last step left for later ones, each as many values as samples, which nobody may
   * change: first a picture that an output meant, then the sample at the start of an update. As far
   * as the sampler reads them.
   */
  default List<float[]> state() {
    return List.of();
  }

  /**
   * Goes on after steps that a server made.
   *
   * @param last of them
   * @param state what it left; empty where no further step reads it
   */
  default void resume(int last, List<float[]> state) {
    throw new UnsupportedOperationException("only this stepper makes its steps");
  }

  /** Another one that goes its own way from here. */
  Stepper fork();
}
