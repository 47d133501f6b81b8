package io.harmonica.generate;

import java.nio.FloatBuffer;

/** Follows a generation, and may end it. */
@FunctionalInterface
public interface StepListener {

  /**
   * A finished step; where several go in one request, the last of them.
   *
   * @param firstPicture index of the first picture of the batch in flight
   * @param step from 0
   * @param steps of the trajectory
   * @param timestep the model's own
   * @param latents [B, C, H, W] after the step; copy what is to be kept
   * @param prediction the model's output, [B or 2 B, outputChannels, H, W], valid during the call
   */
  record Step(
      int firstPicture,
      int step,
      int steps,
      int timestep,
      float[] latents,
      FloatBuffer prediction) {}

  /** Returns false to cancel: {@link Pipeline#generate} then throws a CancellationException. */
  boolean onStep(Step step);
}
