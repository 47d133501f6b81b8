package io.harmonica.compare;

import io.harmonica.picture.Latents;
import io.harmonica.runtime.Statistics;

/** One way to generate the same pictures: a router, a runtime, a number of steps. */
public interface Variant {
  /** A short name, unique in its comparison. */
  String name();

  /** Requests that make the pictures of a round. */
  int requests();

  /**
   * Makes the pictures of one request; several threads may ask at once.
   *
   * @param round from 0; the same round makes every variant start from the same noise and classes
   * @param index from 0, below {@link #requests}
   */
  Sample request(int round, int index);

  /** What its runtime has done so far. */
  default Statistics statistics() {
    return Statistics.NONE;
  }

  /**
   * What one request gave.
   *
   * @param elapsedNanos inside the loop
   * @param runtimeNanos of it, inside the runtime
   * @param peakCacheBytes most bytes of cached branch outputs at any moment
   * @param passes of the model, for one picture
   */
  record Sample(
      Latents latents, long elapsedNanos, long runtimeNanos, long peakCacheBytes, int passes) {}
}
