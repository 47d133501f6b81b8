package io.harmonica.compare;

/**
 * How long variants run before they count: at least {@code least} rounds and until they are stable,
 * but at most {@code most}. Stable is a round in which no variant was more than {@value
 * #GAIN_PERCENT} % faster than its fastest one before.
 */
public record WarmUp(int least, int most) {
  static final int GAIN_PERCENT = 5;

  /** Until stable, 2 to 10 rounds. */
  public static final WarmUp UNTIL_STABLE = new WarmUp(2, 10);

  public WarmUp {
    if (least < 0 || most < least) {
      throw new IllegalArgumentException(
          "warm-ups need 0 <= least <= most: %d, %d".formatted(least, most));
    }
  }

  /** So many, stable or not. */
  public static WarmUp fixed(int rounds) {
    return new WarmUp(rounds, rounds);
  }

  /** Whether a time shows that a variant still becomes faster. */
  static boolean isGain(long bestNanos, long nanos) {
    return nanos * 100.0 < bestNanos * (100.0 - GAIN_PERCENT);
  }
}
