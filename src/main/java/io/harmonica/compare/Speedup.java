package io.harmonica.compare;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * How many times faster B is than A.
 *
 * <p>Rounds pair: each gives a ratio, A's latency / B's, in which drift of the machine cancels. The
 * value is the median ratio, so that a round that another process disturbed does not count. The
 * interval is the percentile bootstrap over rounds (Efron 1979): the median of as many ratios drawn
 * with replacement, {@value #RESAMPLES} times.
 *
 * @param value the median of the ratios
 * @param low where 95 % of the resampled medians begin
 * @param high where they end
 * @param least the least ratio of a round
 * @param most the greatest
 */
public record Speedup(double value, double low, double high, double least, double most) {
  private static final int RESAMPLES = 2000;

  /**
   * The speedup of B to A.
   *
   * @param a latencies of A, one a round
   * @param b latencies of B in the same rounds
   */
  public static Speedup of(long[] a, long[] b, long seed) {
    if (a.length != b.length || a.length == 0) {
      throw new IllegalArgumentException(
          "latencies pair by round: %d of A, %d of B".formatted(a.length, b.length));
    }
    double[] ratios = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      ratios[i] = (double) a[i] / b[i];
    }
    double value = median(ratios); // sorts them
    SplittableRandom random = new SplittableRandom(seed);
    double[] medians = new double[RESAMPLES];
    double[] drawn = new double[ratios.length];
    for (int i = 0; i < RESAMPLES; i++) {
      for (int j = 0; j < drawn.length; j++) {
        drawn[j] = ratios[random.nextInt(ratios.length)];
      }
      medians[i] = median(drawn);
    }
    Arrays.sort(medians);
    int tail = RESAMPLES / 40; // 2.5 % at either end
    return new Speedup(
        value, medians[tail], medians[RESAMPLES - 1 - tail], ratios[0], ratios[ratios.length - 1]);
  }

  /** The median; leaves the values sorted. */
  private static double median(double[] values) {
    Arrays.sort(values);
    int half = values.length / 2;
    return values.length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  }
}
