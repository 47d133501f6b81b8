package io.harmonica.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * The parsed words of one command line, read with their bounds; a fault is a {@link UsageException}
 * that names the option, the value and the bound.
 */
final class Arguments {
  private final CommandLine line;
  private final Options options;

  Arguments(CommandLine line, Options options) {
    this.line = line;
    this.options = options;
  }

  boolean has(String option) {
    return line.hasOption(option);
  }

  /** An argument that is not an option, by its place. */
  String argument(int index) {
    return line.getArgList().get(index);
  }

  Optional<String> text(String option) {
    List<String> values = texts(option);
    if (values.size() > 1) {
      throw new UsageException(
          "--%s is given %d times, expected once".formatted(option, values.size()));
    }
    return values.stream().findFirst();
  }

  /** All of it as a shell would read it again. */
  String words() {
    List<String> words = new ArrayList<>();
    for (Option option : line.getOptions()) {
      words.add("--" + option.getLongOpt());
      if (option.getValue() != null) {
        words.add(quoted(option.getValue()));
      }
    }
    line.getArgList().forEach(word -> words.add(quoted(word)));
    return String.join(" ", words);
  }

  private static String quoted(String word) {
    return word.matches("[\\w./:=,+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  /** The values of an option that may be repeated. */
  List<String> texts(String option) {
    String[] values = line.getOptionValues(option);
    return values == null ? List.of() : List.of(values);
  }

  /** The value of an option that must be there. */
  String requiredText(String option) {
    return text(option).orElseThrow(() -> missing(option));
  }

  Optional<Path> path(String option) {
    return text(option).map(value -> path(option, value));
  }

  /** The paths of an option that may be repeated. */
  List<Path> paths(String option) {
    return texts(option).stream().map(value -> path(option, value)).toList();
  }

  Path requiredPath(String option) {
    return path(option).orElseThrow(() -> missing(option));
  }

  /** A path among the arguments that are not options. */
  Path pathArgument(int index) {
    return path("argument", argument(index));
  }

  Optional<Integer> integer(String option, int min, int max) {
    return text(option).map(value -> integer(option, value, min, max));
  }

  int requiredInteger(String option, int min, int max) {
    return integer(option, min, max).orElseThrow(() -> missing(option));
  }

  /** Whole numbers separated by commas. */
  Optional<List<Integer>> integers(String option, int min, int max) {
    return text(option)
        .map(
            values ->
                Arrays.stream(values.split(",", -1))
                    .map(value -> integer(option, value.strip(), min, max))
                    .toList());
  }

  Optional<Long> wholeNumber(String option) {
    return text(option)
        .map(value -> number(option, value, Long::valueOf, "a whole number of 64 bits"));
  }

  Optional<Double> decimal(String option, double min, double max) {
    return text(option)
        .map(
            value -> {
              String expected = "a number in %s..%s".formatted(min, max);
              double number = number(option, value, Double::valueOf, expected);
              if (!(number >= min && number <= max)) {
                throw unexpected(option, value, expected);
              }
              return number;
            });
  }

  Optional<String> choice(String option, List<String> choices) {
    Optional<String> value = text(option);
    value.ifPresent(v -> requireChoice("--" + option, v, choices));
    return value;
  }

  /** Refuses a word that is not one of the known ones. */
  static void requireChoice(String what, String value, List<String> choices) {
    if (!choices.contains(value)) {
      throw new UsageException(
          "%s is '%s', expected %s%s"
              .formatted(
                  what, value, String.join("|", choices), Suggestion.of(value, choices, "")));
    }
  }

  /** Refuses an option that would be silently without effect. */
  void refuse(String option, String where) {
    if (has(option)) {
      throw new UsageException("--%s has no effect %s".formatted(option, where));
    }
  }

  /** Refuses options together that exclude each other. */
  void refuseBoth(String first, String second) {
    if (has(first) && has(second)) {
      throw new UsageException(
          "--%s and --%s exclude each other, expected one".formatted(first, second));
    }
  }

  /** Whether the command has an option at all. */
  boolean knows(String option) {
    return options.hasOption(option);
  }

  /** Refuses options together that exclude each other, and the lack of all. */
  void requireOneOf(String... choices) {
    List<String> given = Arrays.stream(choices).filter(this::has).toList();
    if (given.isEmpty()) {
      List<String> shown = Arrays.stream(choices).map(this::shown).toList();
      int last = shown.size() - 1;
      throw new UsageException(
          "missing %s or %s".formatted(String.join(", ", shown.subList(0, last)), shown.get(last)));
    }
    if (given.size() > 1) {
      refuseBoth(given.get(0), given.get(1));
    }
  }

  private UsageException missing(String option) {
    return new UsageException("missing " + shown(option));
  }

  private String shown(String option) {
    Option known = options.getOption(option);
    return "--%s %s".formatted(option, known.getArgName());
  }

  private static Path path(String option, String value) {
    try {
      return Path.of(value);
    } catch (InvalidPathException e) {
      throw unexpected(option, value, "a path");
    }
  }

  private static int integer(String option, String value, int min, int max) {
    String expected =
        max == Integer.MAX_VALUE
            ? "a whole number of at least " + min
            : "a whole number in %d..%d".formatted(min, max);
    int number = number(option, value, Integer::valueOf, expected);
    if (number < min || number > max) {
      throw unexpected(option, value, expected);
    }
    return number;
  }

  private static <T> T number(
      String option, String value, Function<String, T> reader, String expected) {
    try {
      return reader.apply(value);
    } catch (NumberFormatException e) {
      throw unexpected(option, value, expected);
    }
  }

  private static UsageException unexpected(String option, String value, String expected) {
    return new UsageException("--%s is '%s', expected %s".formatted(option, value, expected));
  }
}
