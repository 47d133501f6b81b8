package io.harmonica.compare;

import org.HdrHistogram.Histogram;

/**
 * How long requests took, in milliseconds: percentiles of an HdrHistogram with 4 digits, by nearest
 * rank. With few requests the high ones are the slowest request.
 */
public record Latency(double p50Millis, double p90Millis, double p99Millis) {
  private static final int DIGITS = 4;

  static Latency of(long[] nanos) {
    Histogram histogram = new Histogram(DIGITS);
    for (long one : nanos) {
      histogram.recordValue(one / 1000); // microseconds: the histogram stays small
    }
    return new Latency(millis(histogram, 50), millis(histogram, 90), millis(histogram, 99));
  }

  private static double millis(Histogram histogram, int percent) {
    return histogram.getValueAtPercentile(percent) / 1e3;
  }
}
