package io.harmonica.generate;

import io.harmonica.runtime.Tensor;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A batch of pictures on its way, call by call: of the steps, which a {@link Trajectory} loops
 * over, or of all of them at once, a {@link WholeTrajectory}. Either sends its next call, and takes
 * its results, until it {@link #isDone}; so threads that wait move it, and futures.
 */
interface Course extends AutoCloseable {

  boolean isDone();

  /** Makes the next call, waits for it, and takes its results. */
  void advance();

  /** Makes all calls that are left. */
  default void run() {
    while (!isDone()) {
      advance();
    }
  }

  /** Sends the next call; what it answers is for {@link #accept}. */
  CompletableFuture<Map<String, Tensor>> send();

  /** Takes the results of the call that was sent. */
  void accept(Map<String, Tensor> results);

  /** The finished samples, (B, C, H, W). */
  float[] samples();

  /** Time in the runtime so far. */
  long runtimeNanos();

  /** Most bytes of cached branch outputs at any step, what that step stored included. */
  long peakCacheBytes();

  @Override
  void close();
}
