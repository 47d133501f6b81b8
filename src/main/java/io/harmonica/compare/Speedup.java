package io.harmonica.compare;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.apache.commons.statistics.descriptive.Median;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * How many times faster B is than A.
 *
 * <p>Rounds pair: each gives a ratio, A's time / B's, in which drift of the machine cancels. The
 * value is the median ratio, so that a round that another process disturbed does not count. The
 * interval is the bootstrap over rounds (Efron 1979): the median of as many ratios drawn with
 * replacement, {@value #RESAMPLES} times. Its percentiles are the expanded ones of Hesterberg,
 * "What teachers should know about the bootstrap" (The American Statistician 69, 2015), section
 * 5.3: the plain ones are too narrow for few rounds.
 *
 * @param value the median of the ratios
 * @param low where the 95 % interval begins; NaN below {@value #LEAST_ROUNDS} rounds
 * @param high where it ends
 * @param least the least ratio of a round
 * @param most the greatest
 */
public record Speedup(double value, double low, double high, double least, double most) {
  /**
   * Below it there is no such interval: even from the least to the greatest of n ratios lies the
   * true median only with 1 - 2^(1-n), 93.75 % of 5.
   */
  public static final int LEAST_ROUNDS = 6;

  private static final int RESAMPLES = 2000;

  /**
   * The speedup of B to A.
   *
   * @param a times of A, one a round
   * @param b times of B in the same rounds
   */
  public static Speedup of(long[] a, long[] b, long seed) {
    return of(a, b, seed, RESAMPLES);
  }

  static Speedup of(long[] a, long[] b, long seed, int resamples) {
    if (a.length != b.length || a.length == 0) {
      throw new IllegalArgumentException(
          "times pair by round: %d of A, %d of B".formatted(a.length, b.length));
    }
    double[] ratios = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      ratios[i] = (double) a[i] / b[i];
    }
    double least = Arrays.stream(ratios).min().orElseThrow();
    double most = Arrays.stream(ratios).max().orElseThrow();
    double value = Median.withDefaults().evaluate(ratios);
    if (ratios.length < LEAST_ROUNDS) {
      return new Speedup(value, Double.NaN, Double.NaN, least, most);
    }
    double[] medians = medians(ratios, resamples, new SplittableRandom(seed));
    int tail = (int) (resamples * tail(ratios.length));
    return new Speedup(value, medians[tail], medians[resamples - 1 - tail], least, most);
  }

  /** Whether there were rounds enough for an interval. */
  public boolean hasInterval() {
    return !Double.isNaN(low);
  }

  /** Medians of resampled ratios, sorted. */
  private static double[] medians(double[] ratios, int resamples, SplittableRandom random) {
    Median median = Median.withDefaults();
    double[] medians = new double[resamples];
    double[] drawn = new double[ratios.length];
    for (int i = 0; i < resamples; i++) {
      for (int j = 0; j < drawn.length; j++) {
        drawn[j] = ratios[random.nextInt(ratios.length)];
      }
      medians[i] = median.evaluate(drawn);
    }
    Arrays.sort(medians);
    return medians;
  }

  /**
   * The part of the resampled medians beyond either end: 1.6 % of 20 rounds, 2.5 % of very many.
   */
  private static double tail(int rounds) {
    double t = TDistribution.of(rounds - 1).inverseCumulativeProbability(0.025);
    return NormalDistribution.of(0, 1)
        .cumulativeProbability(t * Math.sqrt(rounds / (rounds - 1.0)));
  }
}
