package io.harmonica.triton;

import io.grpc.Status;
import io.harmonica.HarmonicaException;

/** A call that a server did not answer well, with what may be done about it. */
final class ServerFault extends HarmonicaException {
  private final Retry.Where repeat;

  ServerFault(String message, Throwable cause, Retry.Where repeat) {
    super(isSilence(cause) ? Kind.DEADLINE : Kind.SERVER, message, cause);
    this.repeat = repeat;
  }

  /** Whether the server gave no answer within the deadline. */
  boolean isSilence() {
    return kind() == Kind.DEADLINE;
  }

  private static boolean isSilence(Throwable cause) {
    return cause != null && Status.fromThrowable(cause).getCode() == Status.Code.DEADLINE_EXCEEDED;
  }

  /** Where the same call may succeed. */
  Retry.Where repeat() {
    return repeat;
  }
}
