package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import java.util.List;
import java.util.Map;

/**
 * Refuses a command line that Java did not read as it was typed: another prompt would draw another
 * picture, without a word.
 *
 * <p>Java decodes the words by the locale's characters, and writes U+FFFD for what those lack. The
 * launcher sees to a locale of UTF-8 where the machine has one.
 */
final class TypedWords {
  private static final char LOST = '\uFFFD';
  private static final List<String> VARIABLES = List.of("LC_ALL", "LC_CTYPE", "LANG");

  private TypedWords() {}

  static void require(String[] args) {
    require(args, System.getenv(), System.getProperty("sun.jnu.encoding"));
  }

  /**
   * The same on a machine with other settings.
   *
   * @param characters Java's name for the locale's characters
   */
  static void require(String[] args, Map<String, String> environment, String characters) {
    for (int i = 0; i < args.length; i++) {
      if (args[i].indexOf(LOST) >= 0) {
        boolean valued = i > 0 && args[i - 1].startsWith("--") && !args[i].startsWith("-");
        throw new HarmonicaException(
            "%s was not read as it was typed: the locale here (%s) has the characters %s; %s"
                .formatted(
                    (valued ? args[i - 1] + " " : "") + "'" + args[i] + "'",
                    locale(environment),
                    characters,
                    remedy(characters)));
      }
    }
  }

  /** The variable that decides, as the C library looks for it. */
  private static String locale(Map<String, String> environment) {
    return VARIABLES.stream()
        .filter(name -> !environment.getOrDefault(name, "").isEmpty())
        .findFirst()
        .map(name -> name + "=" + environment.get(name))
        .orElse("none is set");
  }

  private static String remedy(String characters) {
    return characters.equals("UTF-8")
        ? "type it in UTF-8, or give prompts in a UTF-8 file"
        : "set LC_ALL to one of UTF-8 that is installed (`locale -a` lists them, C.UTF-8 mostly is), or give prompts in a UTF-8 file";
  }
}
