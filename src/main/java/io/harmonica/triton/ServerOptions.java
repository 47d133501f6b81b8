package io.harmonica.triton;

import java.time.Duration;
import java.util.Optional;

/**
 * How to talk to servers.
 *
 * @param deadline the longest that one call may take, 60 s by default
 * @param connection encryption, headers and the like; in clear by default
 * @param retry what a {@link Fleet} does when a server fails
 * @param pictureDeadline the longest that a trajectory may take, retries and waiting included;
 *     empty, the default: as long as its calls take
 * @param perServer calls that a {@link Fleet} has on one server at a time, others wait; without
 *     limit by default
 * @param listener hears of a {@link Fleet}'s retries; nobody by default
 * @param sharedMemory whether trajectories use it, {@link SharedMemory#AUTO} by default
 */
public record ServerOptions(
    Duration deadline,
    Connection connection,
    Retry retry,
    Optional<Duration> pictureDeadline,
    int perServer,
    FleetListener listener,
    SharedMemory sharedMemory) {
  public static final ServerOptions DEFAULTS = new ServerOptions(Duration.ofSeconds(60));

  /** All by default but the deadline of a call. */
  public ServerOptions(Duration deadline) {
    this(
        deadline,
        Connection.PLAIN,
        Retry.DEFAULTS,
        Optional.empty(),
        Integer.MAX_VALUE,
        FleetListener.NONE,
        SharedMemory.AUTO);
  }

  public ServerOptions {
    requirePositive("deadline", deadline);
    pictureDeadline.ifPresent(time -> requirePositive("deadline of a picture", time));
    if (perServer < 1) {
      throw new IllegalArgumentException(
          "calls on a server are %d, expected 1 or more".formatted(perServer));
    }
  }

  private static void requirePositive(String what, Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException(what + " is " + time + ", expected more than 0");
    }
  }

  public ServerOptions withConnection(Connection other) {
    return new ServerOptions(
        deadline, other, retry, pictureDeadline, perServer, listener, sharedMemory);
  }

  public ServerOptions withRetry(Retry other) {
    return new ServerOptions(
        deadline, connection, other, pictureDeadline, perServer, listener, sharedMemory);
  }

  public ServerOptions withPictureDeadline(Duration time) {
    return new ServerOptions(
        deadline, connection, retry, Optional.of(time), perServer, listener, sharedMemory);
  }

  public ServerOptions withPerServer(int calls) {
    return new ServerOptions(
        deadline, connection, retry, pictureDeadline, calls, listener, sharedMemory);
  }

  public ServerOptions withListener(FleetListener other) {
    return new ServerOptions(
        deadline, connection, retry, pictureDeadline, perServer, other, sharedMemory);
  }

  public ServerOptions withSharedMemory(SharedMemory other) {
    return new ServerOptions(
        deadline, connection, retry, pictureDeadline, perServer, listener, other);
  }
}
