package io.harmonica;

/**
 * A value that a property of options or requests cannot have: {@code `stepsPerRequest` 0 must be
 * positive}.
 *
 * <p>Messages name properties in backquotes, as Java callers know them; the command line says its
 * options instead: {@code --steps-per-request 0 must be positive}.
 */
public final class InvalidProperty extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * @param property its name, as {@code stepsPerRequest}
   * @param problem what it is and what was expected, in one line; may begin with a colon
   */
  public InvalidProperty(String property, String problem) {
    super("`%s`%s%s".formatted(property, problem.startsWith(":") ? "" : " ", problem));
  }
}
