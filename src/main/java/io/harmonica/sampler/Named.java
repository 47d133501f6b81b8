package io.harmonica.sampler;

import java.util.Arrays;
import java.util.List;

/** Finds values by the names that files and users write, which are their {@code toString}. */
final class Named {
  private Named() {}

  static List<String> names(Object[] values) {
    return Arrays.stream(values).map(Object::toString).toList();
  }

  static <E> E of(E[] values, String name, String what) {
    for (E value : values) {
      if (value.toString().equals(name)) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        "%s '%s' is unknown; use %s".formatted(what, name, listed(names(values))));
  }

  /** {@code a, b or c}. */
  static String listed(List<String> names) {
    int last = names.size() - 1;
    return last < 1
        ? String.join("", names)
        : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
  }
}
