package io.harmonica.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The report's numbers as aligned text. */
final class ReportTable {
  private static final int LONGEST_NAME = 17;
  private static final List<String> HEADINGS =
      List.of(
          "variant",
          "CUR",
          "theory",
          "speedup",
          "(95 %)",
          "realised",
          "p50 ms",
          "p99 ms",
          "PSNR dB",
          "SSIM");

  private ReportTable() {}

  static String of(Report report) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEADINGS);
    report.variants().forEach(entry -> rows.add(row(entry)));
    int[] widths = new int[HEADINGS.size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return rows.stream().map(row -> line(row, widths)).collect(Collectors.joining());
  }

  private static List<String> row(Report.Entry entry) {
    return List.of(
        shortened(entry.name()),
        Numbers.format("%.1f %%", 100 * entry.cur()),
        shown("%.2f", entry, "theoreticalSpeedup"),
        shown("%.2f", entry, "speedup.value"),
        entry
            .speedup()
            .filter(Speedup::hasInterval)
            .map(s -> Numbers.format("%.2f .. %.2f", s.low(), s.high()))
            .orElse("-"),
        Double.isNaN(entry.realised()) ? "-" : Numbers.format("%.1f %%", 100 * entry.realised()),
        shown("%.1f", entry, "latencyMillis.p50"),
        shown("%.1f", entry, "latencyMillis.p99"),
        shown("%.1f", entry, "psnr"),
        shown("%.3f", entry, "ssim"));
  }

  private static String shown(String format, Report.Entry entry, String field) {
    double value = Field.ALL.get(field).of(entry);
    return Double.isNaN(value)
        ? "-"
        : Double.isInfinite(value) ? "same" : Numbers.format(format, value);
  }

  /** The name to the left, numbers to the right. */
  private static String line(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder(row.get(0));
    line.append(" ".repeat(widths[0] - row.get(0).length()));
    for (int i = 1; i < widths.length; i++) {
      line.append("  ").append(" ".repeat(widths[i] - row.get(i).length())).append(row.get(i));
    }
    return line.append('\n').toString();
  }

  private static String shortened(String name) {
    return name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME - 2) + "..";
  }
}
