package io.harmonica.compare;

import java.util.Arrays;
import java.util.Random;

/**
 * How the requests of a round are sent.
 *
 * @param inFlight at most so many at once
 * @param perSecond 0: the next one as soon as one ends (a closed loop). Else they are due at the
 *     times of a Poisson process of this rate, whether the earlier ones have ended or not (an open
 *     loop), and one that has to wait for its turn has waited from then on: a server that stalls
 *     delays all requests due meanwhile, not just the one that it kept (no coordinated omission)
 */
public record Load(int inFlight, double perSecond) {
  /** One request after another. */
  public static final Load ONE_BY_ONE = new Load(1, 0);

  /** More would only move the queue from here into the runtime. */
  private static final int OPEN_LOOP_IN_FLIGHT = 64;

  public Load {
    if (inFlight < 1 || !(perSecond >= 0) || Double.isInfinite(perSecond)) {
      throw new IllegalArgumentException(
          "at least 1 in flight and a finite rate: %d, %s".formatted(inFlight, perSecond));
    }
  }

  /** So many requests in flight, all the time. In this process they share one thread pool. */
  public static Load concurrency(int inFlight) {
    return new Load(inFlight, 0);
  }

  /** So many requests due a second, at most 64 of them in flight. */
  public static Load rate(double perSecond) {
    return new Load(OPEN_LOOP_IN_FLIGHT, perSecond);
  }

  boolean isOpen() {
    return perSecond > 0;
  }

  /** When the requests of a round are due, from its start: the same times for the same seed. */
  long[] dueNanos(int requests, long seed) {
    Random random = new Random(seed);
    long[] due = new long[requests];
    double seconds = 0;
    for (int i = 0; i < requests; i++) {
      due[i] = Math.round(seconds * 1e9);
      seconds += -Math.log(1 - random.nextDouble()) / perSecond;
    }
    return due;
  }

  /** What a round's time is: see {@link Turn#timeNanos}. */
  long timeNanos(long makespanNanos, long[] latenciesNanos) {
    return isOpen()
        ? Math.round(Arrays.stream(latenciesNanos).average().orElseThrow())
        : makespanNanos;
  }

  /** In a few words. */
  public String words() {
    if (isOpen()) {
      return "requests due at %s a second, open loop".formatted(Numbers.shortest(perSecond));
    }
    return inFlight == 1 ? "one request at a time" : inFlight + " requests in flight";
  }
}
