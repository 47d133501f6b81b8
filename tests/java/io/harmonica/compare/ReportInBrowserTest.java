package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page as Chromium shows it, on a desk and on a phone, by day and by night. */
class ReportInBrowserTest {
  @TempDir static Path folder;

  private static Path page;
  private static Browser browser;

  @BeforeAll
  static void start() throws Exception {
    assumeTrue(
        Browser.installed().isPresent(), "no chromium on the PATH: install Debian's package of it");
    Report report =
        Reports.of(
                Reports.reference(),
                Reports.entry("fora-2", 0.5, 2, 1.9, 30.6),
                Reports.entry("taylor-3-with-a-rather-long-name", 0.6667, 2.82, 2.75, 33.08),
                Reports.failed("b", 3, "Triton server localhost:8001 went away"))
            .judgedBy(List.of(Gate.parse("f.speedup < 1.95 && n.psnr > 3", List.of("n", "f"))));
    page = folder.resolve("report.html");
    Files.writeString(page, report.page());
    browser = Browser.start(Files.createDirectory(folder.resolve("profile")));
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"1280, light", "1280, dark", "390, light", "390, dark"})
  void page_showsEverything_complainsOfNothing_loadsNothing(int width, String scheme)
      throws Exception {
    browser.open(page, width, scheme);
    JsonNode images =
        browser.evaluate(
            "[...document.images].map(i => ({loaded: i.complete, natural: i.naturalWidth,"
                + " box: i.getBoundingClientRect()}))");
    assertThat(images).hasSize(6); // three variants, each with its difference
    assertThat(images)
        .allSatisfy(
            image -> {
              assertThat(image.path("loaded").asBoolean()).isTrue();
              assertThat(image.path("natural").asInt()).isPositive();
              assertVisible(image.path("box"), width);
            });
    JsonNode drawings =
        browser.evaluate(
            "[...document.querySelectorAll('svg, .reference')]"
                + ".map(i => i.getBoundingClientRect())");
    assertThat(drawings).hasSize(9); // 4 charts, 2 routers, 3 times A's sheet
    assertThat(drawings).allSatisfy(box -> assertVisible(box, width));
    assertThat(marks("path")).hasSizeGreaterThan(2);
    assertThat(marks(".dot")).hasSize(3 * Reports.ROUNDS + 3);
    assertThat(marks(".point")).hasSize(3 + 3);
    assertThat(marks("rect.part")).isNotEmpty();
    // nothing is wider than the window, but tables scroll within it
    assertThat(browser.evaluate("document.documentElement.scrollWidth").asInt())
        .isLessThanOrEqualTo(width);
    String ground = browser.evaluate("getComputedStyle(document.body).backgroundColor").asText();
    assertThat(ground).isEqualTo(scheme.equals("dark") ? "rgb(21, 23, 26)" : "rgb(251, 250, 248)");
    assertThat(browser.complaints()).isEmpty();
    assertThat(browser.requests()).containsExactly(page.toUri().toString());
  }

  /** What the test above relies on. */
  @Test
  void browser_noticesRequestsAndErrors() throws Exception {
    Path bad = folder.resolve("bad.html");
    Files.writeString(
        bad, "<img src='missing.png'><script>console.error('no'); nothing()</script>");
    browser.open(bad, 800, "light");
    assertThat(browser.requests()).hasSize(2).last().asString().endsWith("missing.png");
    assertThat(browser.complaints()).hasSizeGreaterThanOrEqualTo(2);
  }

  /** Sizes of what a drawing is made of. */
  private static JsonNode marks(String selector) throws Exception {
    JsonNode marks =
        browser.evaluate(
            "[...document.querySelectorAll('svg %s')].map(i => i.getBoundingClientRect())"
                .formatted(selector));
    assertThat(marks)
        .allSatisfy(
            box -> {
              assertThat(box.path("width").asDouble()).isNotNegative();
              assertThat(box.path("height").asDouble()).isPositive();
            });
    return marks;
  }

  private static void assertVisible(JsonNode box, int width) {
    assertThat(box.path("width").asDouble()).isGreaterThan(40);
    assertThat(box.path("height").asDouble()).isGreaterThan(20);
    assertThat(box.path("left").asDouble()).isNotNegative();
    assertThat(box.path("right").asDouble()).isLessThanOrEqualTo(width);
  }
}
