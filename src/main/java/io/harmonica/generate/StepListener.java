package io.harmonica.generate;

import java.nio.FloatBuffer;

/**
 * Follows a generation, and may end it.
 *
 * <pre>{@code
 * Result result =
 *     pipeline.generate(
 *         request,
 *         step -> {
 *           System.out.printf("step %d of %d%n", step.step() + 1, step.steps());
 *           return !Thread.currentThread().isInterrupted();
 *         });
 * }</pre>
 *
 * <p>Called by the thread that moves the generation, one step after the other; it waits meanwhile.
 */
@FunctionalInterface
public interface StepListener {

  /**
   * A finished step; where several go in one request, the last of them.
   *
   * @param firstPicture index of the first picture of the batch in flight
   * @param step from 0
   * @param steps of the trajectory
   * @param timestep the model's own, for most models a whole number
   * @param latents [B, C, H, W] after the step: a read-only view of what the loop goes on with,
   *     valid during the call
   * @param prediction the model's output, [B or 2 B, outputChannels, H, W], read-only, valid during
   *     the call; empty where all steps go in one request
   */
  record Step(
      int firstPicture,
      int step,
      int steps,
      double timestep,
      FloatBuffer latents,
      FloatBuffer prediction) {

    /** A copy of the latents, to keep: [B, C, H, W]. */
    public float[] latentsCopy() {
      float[] copy = new float[latents.capacity()];
      latents.get(0, copy);
      return copy;
    }
  }

  /** Returns false to cancel: {@link Pipeline#generate} then throws a CancellationException. */
  boolean onStep(Step step);
}
