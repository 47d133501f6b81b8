package io.harmonica.compare;

import io.harmonica.generate.Latents;

/** One way to generate the same pictures: a router, a runtime, a number of steps. */
public interface Variant {
  /** A short name, unique in its comparison. */
  String name();

  /**
   * Generates one round.
   *
   * @param round from 0; the same round starts every variant from the same noise and classes
   */
  Run run(int round);

  /**
   * What one round gave.
   *
   * @param latencyNanos the time that counts
   * @param latents the finished samples, always the same ones for the same round
   */
  record Run(long latencyNanos, Latents latents) {
    public Run {
      if (latencyNanos <= 0) {
        throw new IllegalArgumentException("latencyNanos must be positive: " + latencyNanos);
      }
    }
  }
}
