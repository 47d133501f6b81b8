package io.harmonica.results;

import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Finds what an option names. */
final class Choice {
  private Choice() {}

  /**
   * The value of a name.
   *
   * @param option it was given by
   * @throws IllegalArgumentException if there is none
   */
  static <T> T of(String option, String name, T[] values, Function<T, String> names) {
    return Arrays.stream(values)
        .filter(value -> names.apply(value).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s: '%s' is none of %s"
                        .formatted(
                            option,
                            name,
                            Arrays.stream(values).map(names).collect(Collectors.joining(", ")))));
  }
}
