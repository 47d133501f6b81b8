package io.harmonica.compare;

import static io.harmonica.compare.Svg.escaped;

import io.harmonica.picture.Latents;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Reports as one HTML page: images inline, nothing loaded from elsewhere, no script, and no date,
 * so that two runs differ in their numbers only. {@link ReportTables} has its tables.
 */
final class ReportPage {
  private final Report report;
  private final String id; // of the element that holds it
  private final Optional<Sheets> sheets;

  private ReportPage(Report report, String id) {
    this.report = report;
    this.id = id;
    this.sheets =
        report.a().quality().isEmpty()
            ? Optional.empty()
            : Optional.of(
                Sheets.of(
                    report.a().measurement().latents(), report.plan().subjects().classes().size()));
  }

  /** Reports below each other, under the title of the first. */
  static String of(List<Report> reports) {
    List<ReportPage> parts =
        IntStream.range(0, reports.size())
            .mapToObj(i -> new ReportPage(reports.get(i), "report-" + (i + 1)))
            .toList();
    return """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <title>%s</title>
        <style>
        %s%s</style>
        </head>
        <body>
        <main>
        %s</main>
        </body>
        </html>
        """
        .formatted(
            escaped(reports.get(0).title()),
            style(),
            parts.stream().map(ReportPage::referenceStyle).collect(Collectors.joining()),
            parts.stream().map(ReportPage::content).collect(Collectors.joining()));
  }

  private String content() {
    return """
        <div id="%s">
        <header>
        <h1>%s</h1>
        <p class="lead">%s</p>
        %s%s</header>
        """
            .formatted(id, escaped(report.title()), escaped(report.summary()), notes(), verdicts())
        + cards()
        + section("Numbers", "", ReportTables.numbers(report))
        + speed()
        + pictures()
        + latencies()
        + split()
        + routers()
        + repeat()
        + "</div>\n";
  }

  private static String section(String heading, String text, String content) {
    return content.isEmpty()
        ? ""
        : "<section>\n<h2>%s</h2>\n%s%s</section>\n"
            .formatted(heading, text.isEmpty() ? "" : "<p>" + text + "</p>\n", content);
  }

  private static String figure(String content, String caption) {
    return content.isEmpty()
        ? ""
        : "<figure class=\"chart\">\n%s<figcaption>%s</figcaption>\n</figure>\n"
            .formatted(content, caption);
  }

  private String notes() {
    return report.notes().stream()
        .map(note -> "<p class=\"note\" role=\"note\">%s</p>\n".formatted(escaped(note)))
        .collect(Collectors.joining());
  }

  private String verdicts() {
    String items =
        report.verdicts().stream()
            .map(
                verdict ->
                    "<li class=\"%s\"><b>%s</b> fail if <code>%s</code> <small>%s</small></li>\n"
                        .formatted(
                            verdict.fired() ? "fired" : "passed",
                            verdict.fired() ? "failed" : "passed",
                            escaped(verdict.expression()),
                            escaped(verdict.values())))
            .collect(Collectors.joining());
    return items.isEmpty() ? "" : "<ul class=\"gates\" aria-label=\"Gates\">\n" + items + "</ul>\n";
  }

  /** The answer first: a card a variant. */
  private String cards() {
    return report.variants().stream()
        .map(entry -> entry == report.a() ? cardOfA(entry) : card(entry))
        .collect(Collectors.joining("", "<div class=\"cards\">\n", "</div>\n"));
  }

  private static String cardOfA(Report.Entry a) {
    return """
        <article class="card">
        <h2>%s%s <small>%s</small></h2>
        <p class="big">%s <small>ms a request</small></p>
        <p class="facts">what the others are compared to</p>
        </article>
        """
        .formatted(
            ReportTables.key(a),
            escaped(a.name()),
            escaped(a.description()),
            a.measurement().latency().map(l -> Numbers.three(l.p50Millis())).orElse("–"));
  }

  private String card(Report.Entry entry) {
    String value = entry.speedup().map(s -> Numbers.format("%.2f×", s.value())).orElse("–");
    return """
        <article class="card">
        <h2>%s%s <small>%s</small></h2>
        <p class="big">%s <small>as fast as %s</small></p>
        <p class="facts">%s</p>
        </article>
        """
        .formatted(
            ReportTables.key(entry),
            escaped(entry.name()),
            escaped(entry.description()),
            value,
            escaped(report.a().name()),
            facts(entry));
  }

  private static String facts(Report.Entry entry) {
    String interval =
        entry
            .speedup()
            .filter(Speedup::hasInterval)
            .map(
                s ->
                    Numbers.format("95&#8239;%%: %.2f – %.2f", s.low(), s.high())
                        + (s.low() <= 1 && s.high() >= 1 ? ", no difference shown" : ""))
            .orElse("too few rounds for an interval");
    return interval
        + entry
            .quality()
            .map(
                q ->
                    q.identical()
                        ? "<br>identical pictures"
                        : Numbers.format(
                            "<br>PSNR %.1f dB, SSIM %.3f", q.meanPsnrDecibels(), q.meanSsim()))
            .orElse("");
  }

  private String speed() {
    String charts =
        figure(
                Charts.speedups(report),
                "Measured speedup to %s with its 95&#8239;%% interval; the upright line is what the"
                        .formatted(escaped(report.a().name()))
                    + " FLOPs promise.")
            + figure(
                Scatter.of(report),
                "Further right is faster, further up is closer to %s. The line joins those that no other one beats in both."
                    .formatted(escaped(report.a().name())));
    return section(
        "Speed and fidelity",
        "",
        charts.isEmpty() ? "" : "<div class=\"charts\">\n" + charts + "</div>\n");
  }

  /** A's sheet beside each other one; A's is inlined once, as the background of its places. */
  private String pictures() {
    if (sheets.isEmpty()) {
      return "";
    }
    String pairs =
        report.variants().stream()
            .skip(1)
            .filter(entry -> entry.quality().isPresent())
            .map(this::pair)
            .collect(Collectors.joining());
    String text =
        "The same noise each time. Point at a variant’s sheet, or touch it, to see %s in its place."
            .formatted(escaped(report.a().name()));
    return section("Side by side", text, pairs);
  }

  private String pair(Report.Entry entry) {
    Latents a = report.a().measurement().latents();
    Latents own = entry.measurement().latents();
    int both = Math.min(a.count(), own.count());
    Sheets sheet = sheets.orElseThrow();
    String name = escaped(entry.name());
    String small = a.width() < 128 ? " pixels" : "";
    return """
        <article>
        <h3>%s <small>%s</small></h3>
        <div class="trio">
        <figure><div class="sheet reference%s" role="img" aria-label="Pictures of %s"></div>\
        <figcaption>%s</figcaption></figure>
        <figure><div class="sheet flip%s" tabindex="0"><img alt="Pictures of %s" src="%s"></div>\
        <figcaption>%s</figcaption></figure>
        <figure><div class="sheet%s"><img alt="Difference of %s to %s" src="%s"></div>\
        <figcaption>difference, %d times amplified</figcaption></figure>
        </div>
        </article>
        """
        .formatted(
            name,
            escaped(entry.description()),
            small,
            escaped(report.a().name()),
            escaped(report.a().name()),
            small,
            name,
            dataUri(sheet.png(own)),
            name,
            small,
            name,
            escaped(report.a().name()),
            dataUri(sheet.difference(a.rows(0, both), own.rows(0, both))),
            Sheets.AMPLIFIED);
  }

  private String referenceStyle() {
    return sheets
        .map(
            sheet -> {
              byte[] png = sheet.png(report.a().measurement().latents());
              return """
              #%1$s .reference, #%1$s .flip::after { background-image: url(%2$s); }
              #%1$s .reference { aspect-ratio: %3$s; }
              """
                  .formatted(
                      id, dataUri(png), sheet.aspectRatio(report.a().measurement().latents()));
            })
        .orElse("");
  }

  private String latencies() {
    boolean open = report.plan().rounds().load().isOpen();
    return section(
        "Latency",
        "Each dot is a request%s; the line is the median.%s"
            .formatted(
                report.variants().stream()
                        .anyMatch(e -> e.measurement().latenciesNanos().length > Charts.MOST_DOTS)
                    ? ", or one of %d quantiles of them".formatted(Charts.MOST_DOTS)
                    : "",
                open ? " Waiting counts from the moment a request was due." : ""),
        figure(Charts.latencies(report), "Milliseconds a request, from 0."));
  }

  private String split() {
    List<TimeSplit.Part> parts = ReportTables.parts(report);
    if (parts.isEmpty()) {
      return "";
    }
    String legend =
        parts.stream()
            .map(
                part ->
                    "<li><span class=\"part-%d\"></span>%s</li>\n"
                        .formatted(part.ordinal(), part.label()))
            .collect(Collectors.joining("", "<ul class=\"legend\">\n", "</ul>\n"));
    return section(
        "Where the time goes",
        "Mean milliseconds of a request, engines as their runtime times them.",
        legend + figure(Charts.splits(report, parts), "") + ReportTables.split(report, parts));
  }

  private String routers() {
    String maps =
        report.variants().stream()
            .filter(entry -> entry.router().isPresent())
            .map(
                entry ->
                    "<figure>%s<figcaption><b>%s</b> %s</figcaption></figure>\n"
                        .formatted(
                            RouterChart.of(entry.router().orElseThrow()),
                            escaped(entry.name()),
                            kinds(entry)))
            .collect(Collectors.joining());
    return section(
        "Routers",
        "What each one computes, and, left blank, what it reuses: a row a step, a column a branch,"
            + " blocks numbered above. Stronger is a higher score.",
        maps.isEmpty() ? "" : "<div class=\"routers\">\n" + maps + "</div>\n");
  }

  private static String kinds(Report.Entry entry) {
    List<String> kinds = RouterChart.kinds(entry.router().orElseThrow());
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < kinds.size(); i++) {
      text.append(
          "<span class=\"key kind-%d\"></span>%s "
              .formatted(i % RouterChart.KINDS, escaped(kinds.get(i))));
    }
    return text.toString();
  }

  private String repeat() {
    return section(
        "Repeat it",
        "",
        """
        <pre tabindex="0"><code>%s</code></pre>
        %s<p class="machine">%s</p>
        """
            .formatted(
                escaped(report.command()),
                ReportTables.settings(report),
                escaped(report.conduct() + " " + report.machine().line())));
  }

  private static String dataUri(byte[] png) {
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(png);
  }

  private static String style() {
    try (InputStream in = ReportPage.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
