package io.harmonica.compare;

import io.harmonica.runtime.Statistics;
import java.util.List;

/**
 * One variant's part of one round.
 *
 * @param timeNanos what speedups compare: from the first request's start to the last one's end; in
 *     an open loop, whose length the arrivals decide, the mean latency of the requests
 * @param makespanNanos from the start to the last request's end
 * @param latenciesNanos per request, in an open loop from the moment it was due
 * @param samples per request
 * @param spent what the runtime did meanwhile
 */
public record Turn(
    long timeNanos,
    long makespanNanos,
    long[] latenciesNanos,
    List<Variant.Sample> samples,
    Statistics spent) {
  public Turn {
    samples = List.copyOf(samples);
    if (timeNanos <= 0 || latenciesNanos.length == 0) {
      throw new IllegalArgumentException("a turn takes time and has requests: " + timeNanos);
    }
  }
}
