package io.harmonica;

/**
 * A failure that its reader can mend: bad input, a server that is down, a full disk.
 *
 * <p>The message is one line: what was found, where, what was expected, and the remedy. The command
 * line prints it as {@code error: ...} and exits with 1; the cause, if any, shows with {@code
 * --verbose}.
 */
public class HarmonicaException extends RuntimeException {
  public HarmonicaException(String message) {
    super(message);
  }

  public HarmonicaException(String message, Throwable cause) {
    super(message, cause);
  }
}
