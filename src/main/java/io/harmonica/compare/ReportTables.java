package io.harmonica.compare;

import static io.harmonica.compare.Svg.escaped;

import io.harmonica.features.Estimate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The tables of the report's page: a row a variant. */
final class ReportTables {
  private static final double VISIBLE_SHARE = 0.0005; // of the time, for a part to be shown

  private ReportTables() {}

  static String numbers(Report report) {
    boolean cached = report.variants().stream().anyMatch(e -> e.measurement().peakCacheBytes() > 0);
    boolean served =
        report.variants().stream().anyMatch(e -> e.measurement().wireBytesPerPicture() > 0);
    List<String> headings =
        new ArrayList<>(
            List.of(
                "variant",
                "reused <small>CUR</small>",
                "speedup <small>theory</small>",
                "speedup <small>measured, 95&#8239;%</small>",
                "realised <small>of theory</small>",
                "p50 <small>ms</small>",
                "p90 <small>ms</small>",
                "p99 <small>ms</small>",
                "pictures <small>a second</small>",
                "PSNR <small>dB, to %s</small>".formatted(escaped(report.a().key())),
                "SSIM"));
    Optional<Judge.Judgement> judged =
        report.variants().stream().flatMap(e -> e.judgement().stream()).findFirst();
    if (judged.isPresent()) {
      headings.add("Fréchet <small>to %s, 95&#8239;%%</small>".formatted(judged.get().to()));
      headings.add("right class <small>95&#8239;%</small>");
    }
    if (cached) {
      headings.add("cache <small>a request, most</small>");
    }
    if (served) {
      headings.add("wire <small>a picture</small>");
    }
    List<List<String>> rows = new ArrayList<>();
    for (Report.Entry entry : report.variants()) {
      List<String> row = new ArrayList<>();
      row.add(
          "%s%s <small>%s</small>"
              .formatted(key(entry), escaped(entry.name()), escaped(entry.description())));
      row.add(Numbers.format("%.1f %%", 100 * entry.cur()));
      row.add(shown("%.2f×", entry.theoreticalSpeedup()));
      row.add(entry.speedup().map(ReportTables::speedup).orElse("–"));
      row.add(shown("%.1f %%", 100 * entry.realised()));
      for (String field : List.of("p50", "p90", "p99")) {
        row.add(three(entry, "latencyMillis." + field));
      }
      row.add(three(entry, "picturesPerSecond"));
      double psnr = Field.ALL.get("psnr").of(entry);
      row.add(Double.isInfinite(psnr) ? "identical" : shown("%.1f", psnr));
      row.add(shown("%.3f", Field.ALL.get("ssim").of(entry)));
      if (judged.isPresent()) {
        row.add(estimate("%.2f", 1, entry.judgement().map(Judge.Judgement::frechet)));
        row.add(estimate("%.1f", 100, entry.judgement().flatMap(Judge.Judgement::accuracy)));
      }
      if (cached) {
        row.add(Numbers.bytes(entry.measurement().peakCacheBytes()));
      }
      if (served) {
        row.add(Numbers.bytes(entry.measurement().wireBytesPerPicture()));
      }
      rows.add(row);
    }
    return table("numbers", "Numbers", headings, rows);
  }

  /** The letter by which gates name a variant. */
  static String key(Report.Entry entry) {
    return "<span class=\"letter\">%s</span> ".formatted(escaped(entry.key()));
  }

  private static String estimate(String format, double scale, Optional<Estimate> estimate) {
    if (estimate.isEmpty() || Double.isNaN(estimate.get().value())) {
      return "–";
    }
    Estimate one = estimate.get();
    String interval =
        Double.isNaN(one.low())
            ? ""
            : Numbers.format(
                " <small>" + format + " – " + format + "</small>",
                scale * one.low(),
                scale * one.high());
    return Numbers.format(format, scale * one.value()) + (scale == 100 ? " %" : "") + interval;
  }

  private static String speedup(Speedup speedup) {
    String interval =
        speedup.hasInterval()
            ? Numbers.format("%.2f – %.2f", speedup.low(), speedup.high())
            : "no interval";
    return Numbers.format(
        "<b>%.2f×</b> <small title=\"rounds: %.2f – %.2f\">%s</small>",
        speedup.value(), speedup.least(), speedup.most(), interval);
  }

  /** The parts that some variant spends time in. */
  static List<TimeSplit.Part> parts(Report report) {
    List<TimeSplit> splits =
        report.variants().stream()
            .filter(entry -> !entry.measurement().isEmpty())
            .map(Report.Entry::split)
            .toList();
    return Arrays.stream(TimeSplit.Part.values())
        .filter(
            part ->
                splits.stream()
                    .anyMatch(
                        split -> split.millis().get(part) > VISIBLE_SHARE * split.totalMillis()))
        .toList();
  }

  static String split(Report report, List<TimeSplit.Part> parts) {
    List<String> headings = new ArrayList<>(List.of("variant"));
    parts.forEach(
        part -> headings.add("%s <small>%s</small>".formatted(part.label(), part.meaning())));
    List<List<String>> rows = new ArrayList<>();
    for (Report.Entry entry : report.variants()) {
      if (!entry.measurement().isEmpty()) {
        List<String> row = new ArrayList<>(List.of(escaped(entry.name())));
        parts.forEach(part -> row.add(Numbers.three(entry.split().millis().get(part))));
        rows.add(row);
      }
    }
    return table("split", "Time by part in milliseconds", headings, rows);
  }

  static String settings(Report report) {
    Set<String> fields = new LinkedHashSet<>();
    report.variants().forEach(entry -> fields.addAll(entry.setting().fields().keySet()));
    List<String> headings = new ArrayList<>(List.of("variant"));
    headings.addAll(fields);
    List<List<String>> rows = new ArrayList<>();
    for (Report.Entry entry : report.variants()) {
      List<String> row = new ArrayList<>(List.of(key(entry) + escaped(entry.name())));
      fields.forEach(field -> row.add(escaped(entry.setting().fields().getOrDefault(field, "–"))));
      rows.add(row);
    }
    return table("settings", "Settings", headings, rows);
  }

  /** Scrolls sideways where it is too wide; the first column names the row. */
  private static String table(
      String style, String label, List<String> headings, List<List<String>> rows) {
    return headings.stream()
            .map(heading -> "<th scope=\"col\">" + heading + "</th>")
            .collect(
                Collectors.joining(
                    "",
                    "<div class=\"wide %s\" role=\"region\" aria-label=\"%s\" tabindex=\"0\">\n<table>\n<thead><tr>"
                        .formatted(style, label),
                    "</tr></thead>\n<tbody>\n"))
        + rows.stream().map(ReportTables::row).collect(Collectors.joining())
        + "</tbody>\n</table>\n</div>\n";
  }

  private static String row(List<String> cells) {
    return "<tr><th scope=\"row\">%s</th>%s</tr>\n"
        .formatted(
            cells.get(0),
            cells.stream()
                .skip(1)
                .map(cell -> "<td>" + cell + "</td>")
                .collect(Collectors.joining()));
  }

  private static String three(Report.Entry entry, String field) {
    double value = Field.ALL.get(field).of(entry);
    return Double.isNaN(value) ? "–" : Numbers.three(value);
  }

  private static String shown(String format, double value) {
    return Double.isFinite(value) ? Numbers.format(format, value) : "–";
  }
}
