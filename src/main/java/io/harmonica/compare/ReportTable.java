package io.harmonica.compare;

import java.util.ArrayList;
import java.util.List;

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
    return TextTable.of(rows, 1);
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

  private static String shortened(String name) {
    return name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME - 2) + "..";
  }
}
