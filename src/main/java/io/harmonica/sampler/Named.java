package io.harmonica.sampler;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Finds values by the names that files and users write, which are their {@code toString}. */
final class Named {
  private Named() {}

  static List<String> names(Object[] values) {
    return Arrays.stream(values).map(Object::toString).toList();
  }

  static <E> Optional<E> of(E[] values, String name) {
    return Arrays.stream(values).filter(value -> value.toString().equals(name)).findFirst();
  }

  static <E> E of(E[] values, String name, String what) {
    return of(values, name)
        .orElseThrow(() -> new IllegalArgumentException(what + " " + unknown(values, name)));
  }

  static String unknown(Object[] values, String name) {
    return "'%s' is unknown; use %s".formatted(name, listed(names(values)));
  }

  /** {@code a, b or c}. */
  static String listed(List<String> names) {
    int last = names.size() - 1;
    return last < 1
        ? String.join("", names)
        : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
  }
}
