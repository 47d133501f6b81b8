package io.harmonica.cli;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Says the command line's options where a message of the library names properties: {@code
 * `stepsPerRequest` 0} becomes {@code --steps-per-request 0}.
 */
final class Flags {
  private static final Pattern PROPERTY = Pattern.compile("`([a-z][A-Za-z0-9]*)`");
  private static final Pattern CAPITAL = Pattern.compile("[A-Z]");

  private Flags() {}

  static String in(String message) {
    return PROPERTY.matcher(message).replaceAll(named -> "--" + of(named.group(1)));
  }

  private static String of(String property) {
    return CAPITAL.matcher(property).replaceAll(c -> "-" + c.group().toLowerCase(Locale.ROOT));
  }
}
