package io.harmonica.compare;

import java.util.List;
import java.util.Locale;

/** Numbers as people read them, with a point whatever the locale says. */
final class Numbers {
  private Numbers() {}

  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /** Three digits that say something: {@code 1234}, {@code 42.1}, {@code 0.0512}. */
  static String three(double value) {
    double size = Math.abs(value);
    int digits = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return format("%." + digits + "f", value);
  }

  /** {@code 4} for 4.0, {@code 1.5} for 1.5. */
  static String shortest(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /** A size in binary units. */
  static String bytes(double bytes) {
    double size = bytes;
    int unit = 0;
    while (size >= 1024 && unit < 4) {
      size /= 1024;
      unit++;
    }
    return three(size) + " " + List.of("B", "KiB", "MiB", "GiB", "TiB").get(unit);
  }
}
