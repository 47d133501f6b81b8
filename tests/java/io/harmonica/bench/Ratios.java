package io.harmonica.bench;

import java.util.Arrays;
import java.util.Locale;

/** What the benchmarks print of ratios measured side by side. */
public final class Ratios {
  private Ratios() {}

  public static double median(double[] values) {
    return sorted(values)[values.length / 2];
  }

  /** Prints a line: the median, how far the values spread, and what was hoped for. */
  public static void print(String what, double[] ratios, String target) {
    double[] sorted = sorted(ratios);
    System.out.printf(
        Locale.ROOT,
        "%-42s median %.5f  quartiles %.5f..%.5f  min %.5f max %.5f  (target %s)%n",
        what,
        median(ratios),
        sorted[sorted.length / 4],
        sorted[sorted.length * 3 / 4],
        sorted[0],
        sorted[sorted.length - 1],
        target);
  }

  private static double[] sorted(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted;
  }
}
