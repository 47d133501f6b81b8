package io.harmonica;

import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * A failure that its reader can mend: bad input, a server that is down, a full disk.
 *
 * <p>The message is one line: what was found, where, what was expected, and the remedy. The command
 * line prints it as {@code error: ...} and exits with 1; the cause, if any, shows with {@code
 * --verbose}. A service maps the {@link #kind} to its own answers.
 */
public class HarmonicaException extends RuntimeException {
  private final Kind kind;

  /** What is to be mended. */
  public enum Kind {
    /** What was asked for: an unknown class, a router of another model. HTTP says 400. */
    INPUT,
    /** The model: numbers that overflow, an export that is damaged or of another format. 500. */
    MODEL,
    /** Files or folders: missing, not readable, no space. 500. */
    FILES,
    /** A server: away, refusing, of other models. 503. */
    SERVER,
    /** Time: an answer that did not come within its deadline. 504. */
    DEADLINE,
    /** Nothing: the caller called it off. */
    CANCELLED
  }

  /** A fault of {@link Kind#INPUT}. */
  public HarmonicaException(String message) {
    this(Kind.INPUT, message);
  }

  public HarmonicaException(Kind kind, String message) {
    super(oneLine(message));
    this.kind = kind;
  }

  /** A fault of the cause's kind. */
  public HarmonicaException(String message, Throwable cause) {
    this(kindOf(cause), message, cause);
  }

  public HarmonicaException(Kind kind, String message, Throwable cause) {
    super(oneLine(message), cause);
    this.kind = kind;
  }

  private static Kind kindOf(Throwable cause) {
    if (cause instanceof HarmonicaException fault) {
      return fault.kind;
    }
    return cause instanceof IOException || cause instanceof UncheckedIOException
        ? Kind.FILES
        : Kind.INPUT;
  }

  /** What is to be mended. */
  public Kind kind() {
    return kind;
  }

  /** Joins the lines of a text: what servers and libraries say may have several. */
  public static String oneLine(String text) {
    return text.strip().replaceAll("\\s*\\R\\s*", " ");
  }
}
