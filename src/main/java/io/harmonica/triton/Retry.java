package io.harmonica.triton;

import io.grpc.Status;
import java.time.Duration;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * What is tried again, how often, and after which pause.
 *
 * <p>All that this client repeats is safe to repeat: a model here is a function of its inputs, so a
 * step that ran twice, or to its end without anyone hearing of it, gives the same. Loading and
 * unloading models is never repeated. Which faults are worth it is told by their gRPC status:
 *
 * <ul>
 *   <li>{@code UNAVAILABLE}, and a connection that broke under a call: the server is gone, starts,
 *       stops or is full. Again, there or elsewhere.
 *   <li>{@code DEADLINE_EXCEEDED}, {@code CANCELLED} (by the server), {@code INTERNAL}, {@code
 *       UNKNOWN}, {@code RESOURCE_EXHAUSTED}, {@code NOT_FOUND} (a model not loaded): this server
 *       does not manage it. Elsewhere, once for each other server.
 *   <li>Every other, {@code INVALID_ARGUMENT}, {@code UNAUTHENTICATED}, {@code PERMISSION_DENIED},
 *       {@code UNIMPLEMENTED} among them: never, nobody would answer otherwise.
 * </ul>
 *
 * @param attempts how often all servers are tried, 1 for no second time
 * @param first the longest pause before the second attempt; it doubles with each
 * @param most the longest of all pauses
 */
public record Retry(int attempts, Duration first, Duration most) {

  /** Four attempts, pauses up to 0.1, 0.2 and 0.4 s. */
  public static final Retry DEFAULTS = new Retry(4, Duration.ofMillis(100), Duration.ofSeconds(5));

  private static final Set<Status.Code> ELSEWHERE =
      Set.of(
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.CANCELLED,
          Status.Code.INTERNAL,
          Status.Code.UNKNOWN,
          Status.Code.RESOURCE_EXHAUSTED,
          Status.Code.NOT_FOUND);

  public Retry {
    if (attempts < 1) {
      throw new IllegalArgumentException("attempts are " + attempts + ", expected 1 or more");
    }
    if (first.isNegative() || most.compareTo(first) < 0) {
      throw new IllegalArgumentException(
          "pauses grow from %s to %s, expected 0 or more and growing".formatted(first, most));
    }
  }

  public Retry withAttempts(int other) {
    return new Retry(other, first, most);
  }

  /** Where a fault may be repeated. */
  enum Where {
    NOWHERE,
    ELSEWHERE,
    ANYWHERE;

    static Where of(Status.Code code) {
      if (code == Status.Code.UNAVAILABLE) {
        return ANYWHERE;
      }
      return Retry.ELSEWHERE.contains(code) ? ELSEWHERE : NOWHERE;
    }
  }

  /**
   * A pause, random up to its longest ("full jitter"): clients of a server that went away do not
   * come back all at once.
   *
   * @param attempt that failed, from 0
   */
  Duration pause(int attempt, RandomGenerator random) {
    double longest = Math.min(most.toNanos(), first.toNanos() * Math.pow(2, attempt));
    return Duration.ofNanos((long) (longest * random.nextDouble()));
  }
}
