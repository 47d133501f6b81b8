package io.harmonica.compare;

import io.harmonica.generate.Png;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The report as one HTML page: images inline, nothing loaded from elsewhere, no script, and no
 * date, so that two runs differ in their numbers only.
 */
final class ReportPage {
  private ReportPage() {}

  static String of(Report report) {
    return """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>%s</title>
        <style>
        %s%s</style>
        </head>
        <body>
        <header>
        <h1>%s</h1>
        <p class="lead">%s</p>
        %s</header>
        <main>
        %s%s%s%s%s</main>
        </body>
        </html>
        """
        .formatted(
            escaped(report.title()),
            style(),
            referenceStyle(report),
            escaped(report.title()),
            escaped(report.summary()),
            report.variants().get(0).sheet().isPresent()
                ? referenceFigure(report.variants().get(0))
                : "",
            numbers(report),
            chart(report),
            pictures(report),
            routers(report),
            repeat(report));
  }

  /** Text as HTML shows it, in elements and in quoted attributes. */
  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  private static String numbers(Report report) {
    return """
        <section>
        <h2>Numbers</h2>
        <div class="wide" role="region" aria-label="Numbers" tabindex="0">
        <table>
        <thead><tr><th scope="col">variant</th><th scope="col">reused <small>CUR</small></th>\
        <th scope="col">speedup <small>theory</small></th>\
        <th scope="col">speedup <small>measured, 95&#8239;%%</small></th>\
        <th scope="col">realised <small>of theory</small></th>\
        <th scope="col">time <small>median round</small></th>\
        <th scope="col">PSNR <small>to %s</small></th><th scope="col">SSIM</th></tr></thead>
        <tbody>
        %s</tbody>
        </table>
        </div>
        </section>
        """
        .formatted(
            escaped(report.variants().get(0).name()),
            report.variants().stream().map(ReportPage::row).collect(Collectors.joining()));
  }

  private static String row(Report.Entry entry) {
    Speedup speedup = entry.speedup();
    return """
        <tr><th scope="row">%s <small>%s</small></th><td>%s</td><td>%s</td>\
        <td><b>%s</b> <small title="rounds: %s">%s</small></td>\
        <td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>
        """
        .formatted(
            escaped(entry.name()),
            escaped(entry.description()),
            number("%.1f %%", 100 * entry.cur()),
            number("%.2f×", entry.theoreticalSpeedup()),
            number("%.2f×", speedup.value()),
            number("%.2f – %.2f", speedup.least(), speedup.most()),
            number("%.2f – %.2f", speedup.low(), speedup.high()),
            number("%.1f %%", 100 * entry.realised()),
            number("%.0f ms", entry.latency().p50Millis()),
            entry.identical() ? "identical" : number("%.1f dB", entry.psnrDecibels()),
            number("%.3f", entry.ssim()));
  }

  private static String chart(Report report) {
    String scatter = Scatter.of(report);
    return scatter.isEmpty()
        ? ""
        : """
          <section>
          <h2>Speed against fidelity</h2>
          <figure class="chart">
          %s<figcaption>Further right is faster, further up is closer to %s. Bars: the speedup's \
          95&#8239;%% interval.</figcaption>
          </figure>
          </section>
          """
            .formatted(scatter, escaped(report.variants().get(0).name()));
  }

  /** A's sheet beside each other one; A's is inlined once, as the background of its places. */
  private static String pictures(Report report) {
    Report.Entry reference = report.variants().get(0);
    if (reference.sheet().isEmpty()) {
      return "";
    }
    List<Report.Entry> others =
        report.variants().stream().skip(1).filter(entry -> entry.sheet().isPresent()).toList();
    if (others.isEmpty()) {
      return "";
    }
    return """
        <section>
        <h2>Side by side</h2>
        <p>The same noise each time. Point at a variant's sheet, or touch it, to see \
        %s in its place.</p>
        %s</section>
        """
        .formatted(
            escaped(reference.name()),
            others.stream().map(entry -> pair(reference, entry)).collect(Collectors.joining()));
  }

  private static String pair(Report.Entry reference, Report.Entry entry) {
    return """
        <article>
        <h3>%s <small>%s</small></h3>
        <p class="facts"><b>%s</b> faster <b>%s</b> <b>%s</b> SSIM</p>
        <div class="pair">
        %s<figure><div class="sheet flip" tabindex="0"><img alt="Pictures of %s" src="%s"></div>\
        <figcaption>%s</figcaption></figure>
        </div>
        </article>
        """
        .formatted(
            escaped(entry.name()),
            escaped(entry.description()),
            number("%.2f×", entry.speedup().value()),
            entry.identical() ? "identical" : number("%.1f dB", entry.psnrDecibels()),
            number("%.3f", entry.ssim()),
            referenceFigure(reference),
            escaped(entry.name()),
            dataUri(Png.bytes(entry.sheet().orElseThrow())),
            escaped(entry.name()));
  }

  private static String referenceFigure(Report.Entry reference) {
    BufferedImage sheet = reference.sheet().orElseThrow();
    return """
        <figure><div class="sheet reference" role="img" aria-label="Pictures of %s" \
        style="aspect-ratio: %d / %d"></div><figcaption>%s</figcaption></figure>
        """
        .formatted(
            escaped(reference.name()),
            sheet.getWidth(),
            sheet.getHeight(),
            escaped(reference.name()));
  }

  private static String routers(Report report) {
    String maps =
        report.variants().stream()
            .filter(entry -> entry.heatMap().isPresent())
            .map(
                entry ->
                    """
                    <figure><img alt="Router of %1$s" src="%2$s"><figcaption>%1$s</figcaption></figure>
                    """
                        .formatted(escaped(entry.name()), dataUri(entry.heatMap().orElseThrow())))
            .collect(Collectors.joining());
    return maps.isEmpty()
        ? ""
        : """
          <section>
          <h2>Routers</h2>
          <p>What each one computes and what it reuses: a row a step, a column a branch.</p>
          <div class="routers">
          %s</div>
          </section>
          """
            .formatted(maps);
  }

  private static String repeat(Report report) {
    return """
        <section>
        <h2>Repeat it</h2>
        <pre><code>%s</code></pre>
        <p class="machine">%d interleaved rounds on %s.</p>
        </section>
        """
        .formatted(escaped(report.command()), report.rounds(), escaped(report.machine().line()));
  }

  private static String referenceStyle(Report report) {
    return report
        .variants()
        .get(0)
        .sheet()
        .map(
            sheet ->
                ".reference, .flip::after { background-image: url(%s); }\n"
                    .formatted(dataUri(Png.bytes(sheet))))
        .orElse("");
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

  private static String number(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
