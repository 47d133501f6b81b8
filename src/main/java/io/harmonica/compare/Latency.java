package io.harmonica.compare;

import java.util.Arrays;

/**
 * How long a round took, in milliseconds: percentiles by nearest rank, the shortest latency that at
 * least p % of the rounds did not exceed. With few rounds the high ones are the slowest round.
 */
public record Latency(double p50Millis, double p90Millis, double p99Millis) {

  static Latency of(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return new Latency(millis(sorted, 50), millis(sorted, 90), millis(sorted, 99));
  }

  private static double millis(long[] sorted, int percent) {
    int rank = (sorted.length * percent + 99) / 100; // rounded up, from 1
    return sorted[rank - 1] / 1e6;
  }
}
