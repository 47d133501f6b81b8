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
    super(oneLine(message));
  }

  public HarmonicaException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  /** Joins the lines of a text: what servers and libraries say may have several. */
  public static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", " ");
  }
}
