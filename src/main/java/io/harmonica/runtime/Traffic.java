package io.harmonica.runtime;

/**
 * What went between this process and its servers so far. Counters only grow.
 *
 * @param sentBytes of requests, as messages on the wire; 0 in this process
 * @param receivedBytes of their answers
 * @param sharedBytes of tensors that client and server handed each other in shared memory
 * @param retries calls that were made again
 * @param failovers trajectories that went on at another server
 */
public record Traffic(
    long sentBytes, long receivedBytes, long sharedBytes, long retries, long failovers) {
  public static final Traffic NONE = new Traffic(0, 0, 0, 0, 0);

  /** What went over the wire, there and back. */
  public long wireBytes() {
    return sentBytes + receivedBytes;
  }

  /** That of two servers. */
  public Traffic plus(Traffic other) {
    return new Traffic(
        sentBytes + other.sentBytes,
        receivedBytes + other.receivedBytes,
        sharedBytes + other.sharedBytes,
        retries + other.retries,
        failovers + other.failovers);
  }

  /** What happened since an earlier moment. */
  public Traffic minus(Traffic earlier) {
    return new Traffic(
        sentBytes - earlier.sentBytes,
        receivedBytes - earlier.receivedBytes,
        sharedBytes - earlier.sharedBytes,
        retries - earlier.retries,
        failovers - earlier.failovers);
  }
}
