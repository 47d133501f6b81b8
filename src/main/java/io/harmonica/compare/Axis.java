package io.harmonica.compare;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * A linear axis with round ticks.
 *
 * @param first the value at {@code from}, a tick
 * @param last the value at {@code to}, a tick
 * @param step between ticks
 */
record Axis(double first, double last, double step, double from, double to) {

  /**
   * An axis of about five ticks that holds all values with some room; a least one of 0 is its end.
   */
  static Axis around(double[] values, double from, double to) {
    double least = Arrays.stream(values).min().orElseThrow();
    double most = Arrays.stream(values).max().orElseThrow();
    double step = round(Math.max(most - least, Math.max(1e-6, Math.abs(most)) * 0.02) / 4);
    double room = 0.2 * step; // so that no point sits on the frame
    double first = least == 0 ? 0 : Math.floor((least - room) / step) * step;
    double last = Math.ceil((most + room) / step) * step;
    return new Axis(first, last, step, from, to);
  }

  /** Where a value lies. */
  double place(double value) {
    return from + (value - first) / (last - first) * (to - from);
  }

  List<Double> ticks() {
    long count = Math.round((last - first) / step) + 1;
    return DoubleStream.iterate(0, i -> i + 1)
        .limit(count)
        .map(i -> first + i * step)
        .boxed()
        .toList();
  }

  /** A tick with as many digits as the step needs. */
  String label(double tick) {
    int digits = (int) Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    return String.format(Locale.ROOT, "%." + digits + "f", tick);
  }

  /** The least of 1, 2, 5 times a power of ten that is not below. */
  private static double round(double step) {
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    return DoubleStream.of(1, 2, 5)
        .map(m -> m * power)
        .filter(s -> s >= step - 1e-12)
        .findFirst()
        .orElse(10 * power);
  }
}
