package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

class ReportPageTest {

  @Test
  void of_escapesAllText() throws Exception {
    String evil = "<script>alert('x')</script>&\"";
    Report.Entry entry = Reports.entry(evil, 0.5, 2, 1.9, 30.6);
    Report report =
        new Report(
            evil,
            evil,
            evil,
            Reports.plan(),
            Reports.of(entry).outcome(),
            List.of(Reports.reference(), entry, Reports.failed(evil, 2, evil)),
            new Machine(evil, 1, 0, evil, evil, evil),
            List.of(new Gate.Verdict(evil, true, evil)));
    String page = report.page();
    assertThat(page).doesNotContain("<script").doesNotContain("alert('").doesNotContain("&\"");
    assertThat(parsed(page).getElementsByTagName("script").getLength()).isZero();
  }

  @Test
  void of_loadsNothing() {
    String page = report().page();
    assertThat(page).doesNotContain("http:").doesNotContain("https:").doesNotContain("@import");
    assertThat(
            Pattern.compile("(?:src=\"|href=\"|url\\()(?!data:(?:image/png;base64)?,)")
                .matcher(page)
                .find())
        .isFalse();
  }

  @Test
  void of_inlinesTheReferenceOnce() {
    // A's sheet, and for each other variant its own and the difference.
    assertThat(Pattern.compile("data:image").matcher(report().page()).results()).hasSize(5);
  }

  @Test
  void of_tellsTheNumbers() throws Exception {
    Document page = parsed(report().page());
    assertThat(page.getElementsByTagName("tbody").item(0).getTextContent())
        .contains("taylor-3", "does taylor-3", "66.7 %", "2.82×", "2.75×", "2.72 – 2.77", "33.1");
    assertThat(page.getElementsByTagName("pre").item(0).getTextContent())
        .isEqualTo("bin/harmonica demo");
  }

  @Test
  void of_describesWhatIsDrawn_forThoseWhoDoNotSeeIt() throws Exception {
    Document page = parsed(report().page());
    // speedups, scatter, latencies, time split, two routers
    NodeList drawings = page.getElementsByTagName("svg");
    assertThat(drawings.getLength()).isEqualTo(6);
    for (int i = 0; i < drawings.getLength(); i++) {
      assertThat(((Element) drawings.item(i)).getAttribute("role")).isEqualTo("img");
      assertThat(((Element) drawings.item(i)).getAttribute("aria-label")).isNotBlank();
    }
    NodeList images = page.getElementsByTagName("img");
    assertThat(images.getLength()).isEqualTo(4);
    for (int i = 0; i < images.getLength(); i++) {
      assertThat(((Element) images.item(i)).getAttribute("alt")).isNotBlank();
    }
    NodeList headers = page.getElementsByTagName("th");
    for (int i = 0; i < headers.getLength(); i++) {
      assertThat(((Element) headers.item(i)).getAttribute("scope")).isIn("row", "col");
    }
  }

  @Test
  void of_tellsWhatWentWrong_andWhatGatesSay() throws Exception {
    Report report =
        Reports.of(Reports.reference(), Reports.failed("b", 3, "the server is gone"))
            .judgedBy(List.of(Gate.parse("b.ssim < 2", List.of("b"))));
    String text = parsed(report.page()).getDocumentElement().getTextContent();
    assertThat(text).contains("failed in round 4 of 8", "the server is gone", "b.ssim < 2");
  }

  @Test
  void of_needsNoMeasurement() throws Exception {
    Report report = Reports.of(Reports.failed("a", 0, "gone"), Reports.failed("b", 0, "gone"));
    assertThat(parsed(report.page()).getDocumentElement().getTextContent())
        .contains("failed in round 1 of 8");
  }

  private static Report report() {
    return Reports.of(
        Reports.reference(),
        Reports.entry("fora-2", 0.5, 2, 1.9, 30.6),
        Reports.entry("taylor-3", 0.6667, 2.82, 2.75, 33.08));
  }

  /** Our page closes what it opens, so that it reads as XML but for these elements. */
  private static Document parsed(String page) throws Exception {
    String xml =
        page.replaceFirst("<!DOCTYPE html>", "")
            .replaceAll("<(meta|img|link)( [^>]*)>", "<$1$2/>")
            .replace("<br>", " ")
            .replaceAll("(?s)<style>.*?</style>", "");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(xml)));
  }
}
