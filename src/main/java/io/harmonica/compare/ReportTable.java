package io.harmonica.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The report's numbers as aligned text. */
final class ReportTable {
  private static final int LONGEST_NAME = 20;
  private static final List<String> HEADINGS =
      List.of(
          "variant", "CUR", "theory", "speedup", "(95 %)", "realised", "p50 ms", "PSNR dB", "SSIM");

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
    Speedup speedup = entry.speedup();
    return List.of(
        shortened(entry.name()),
        number("%.1f %%", 100 * entry.cur()),
        number("%.2f", entry.theoreticalSpeedup()),
        number("%.2f", speedup.value()),
        number("%.2f .. %.2f", speedup.low(), speedup.high()),
        number("%.1f %%", 100 * entry.realised()),
        number("%.1f", entry.latency().p50Millis()),
        entry.identical() ? "same" : number("%.1f", entry.psnrDecibels()),
        number("%.3f", entry.ssim()));
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

  private static String number(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
