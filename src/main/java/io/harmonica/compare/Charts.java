package io.harmonica.compare;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/** The report's drawings that have a row a variant. */
final class Charts {
  static final int MOST_DOTS = 100;
  private static final double DOT = 3; // radius in pixels
  private static final int DOTS_HEIGHT = 54;
  private static final double DOT_WIDTH = 1; // percent, for stacking

  private Charts() {}

  /** Measured speedups with their intervals, and the theoretical ones; empty without any. */
  static String speedups(Report report) {
    List<Report.Entry> entries =
        report.variants().stream().skip(1).filter(e -> e.speedup().isPresent()).toList();
    if (entries.isEmpty()) {
      return "";
    }
    double[] values =
        DoubleStream.concat(
                DoubleStream.of(1),
                entries.stream()
                    .flatMapToDouble(
                        e -> {
                          Speedup speedup = e.speedup().orElseThrow();
                          return DoubleStream.of(
                              speedup.value(),
                              e.theoreticalSpeedup(),
                              speedup.low(),
                              speedup.high());
                        }))
            .filter(Double::isFinite)
            .toArray();
    RowChart chart =
        RowChart.of(
            entries.size(), 16, values, "×", "Measured speedups; the table holds the numbers");
    for (Report.Entry entry : entries) {
      Speedup speedup = entry.speedup().orElseThrow();
      chart.row(entry.name(), Numbers.format("%.2f×", speedup.value()));
      double y = chart.middle();
      if (Double.isFinite(entry.theoreticalSpeedup())) {
        double theory = chart.place(entry.theoreticalSpeedup());
        chart.svg().line("theory", theory, y - 8, theory, y + 8);
      }
      if (speedup.hasInterval()) {
        double low = chart.place(speedup.low());
        double high = chart.place(speedup.high());
        chart.svg().line("interval", low, y, high, y);
      }
      chart.svg().circle("point", chart.place(speedup.value()), y, 5);
    }
    return chart.end();
  }

  /** A dot for each request, or for each of {@value #MOST_DOTS} quantiles of them. */
  static String latencies(Report report) {
    List<Report.Entry> entries =
        report.variants().stream().filter(e -> !e.measurement().isEmpty()).toList();
    if (entries.isEmpty()) {
      return "";
    }
    double[] all =
        DoubleStream.concat(
                DoubleStream.of(0), entries.stream().flatMapToDouble(e -> Arrays.stream(dots(e))))
            .toArray();
    RowChart chart =
        RowChart.of(
            entries.size(), DOTS_HEIGHT, all, " ms", "Latencies; the table holds the percentiles");
    for (Report.Entry entry : entries) {
      Latency latency = entry.measurement().latency().orElseThrow();
      String value =
          "p50 %s   p90 %s   p99 %s ms"
              .formatted(
                  Numbers.three(latency.p50Millis()),
                  Numbers.three(latency.p90Millis()),
                  Numbers.three(latency.p99Millis()));
      chart.row(entry.name(), value);
      stack(chart, dots(entry));
      double median = chart.place(latency.p50Millis());
      chart.svg().line("median", median, chart.bottom() - DOTS_HEIGHT, median, chart.bottom());
    }
    return chart.end();
  }

  /** Latencies in milliseconds, thinned out to quantiles where there are many. */
  private static double[] dots(Report.Entry entry) {
    long[] nanos = entry.measurement().latenciesNanos();
    Arrays.sort(nanos);
    int count = Math.min(MOST_DOTS, nanos.length);
    double[] millis = new double[count];
    for (int i = 0; i < count; i++) {
      millis[i] = nanos[(int) ((i + 0.5) * nanos.length / count)] / 1e6;
    }
    return millis;
  }

  private static void stack(RowChart chart, double[] millis) {
    Map<Integer, List<Double>> columns = new TreeMap<>();
    for (double one : millis) {
      double x = chart.place(one);
      columns.computeIfAbsent((int) (x / DOT_WIDTH), c -> new ArrayList<>()).add(x);
    }
    int highest = columns.values().stream().mapToInt(List::size).max().orElseThrow();
    double step = Math.min(2 * DOT, (DOTS_HEIGHT - 2 * DOT) / Math.max(1, highest - 1));
    columns.forEach(
        (column, places) -> {
          for (int i = 0; i < places.size(); i++) {
            double y = chart.bottom() - DOT - i * step;
            chart.svg().circle("dot", places.get(i), y, DOT);
          }
        });
  }

  /** The mean time of a request as a bar of its parts. */
  static String splits(Report report, List<TimeSplit.Part> parts) {
    List<Report.Entry> entries =
        report.variants().stream().filter(e -> !e.measurement().isEmpty()).toList();
    double[] totals =
        DoubleStream.concat(
                DoubleStream.of(0), entries.stream().mapToDouble(e -> e.split().totalMillis()))
            .toArray();
    RowChart chart =
        RowChart.of(entries.size(), 22, totals, " ms", "Time by part; the table holds the numbers");
    for (Report.Entry entry : entries) {
      TimeSplit split = entry.split();
      chart.row(entry.name(), Numbers.three(split.totalMillis()) + " ms");
      double before = 0;
      for (TimeSplit.Part part : parts) {
        double millis = split.millis().get(part);
        double x = chart.place(before);
        double width = chart.place(before + millis) - x;
        chart.svg().rectangle("part part-" + part.ordinal(), x, chart.bottom() - 22, width, 22);
        before += millis;
      }
    }
    return chart.end();
  }
}
