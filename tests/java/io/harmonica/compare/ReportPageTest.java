package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
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
            List.of(Reports.reference(), entry.withImages(entry.sheet(), Optional.of(new byte[3]))),
            3,
            new Machine(evil, 1, 0, evil, evil, evil),
            evil);
    String page = ReportPage.of(report);
    assertThat(page).doesNotContain("<script").doesNotContain("alert('").doesNotContain("&\"");
    assertThat(parsed(page).getElementsByTagName("script").getLength()).isZero();
  }

  @Test
  void of_loadsNothing() {
    String page = ReportPage.of(report());
    assertThat(page).doesNotContain("http:").doesNotContain("https:").doesNotContain("<link");
    assertThat(Pattern.compile("(?:src=\"|url\\()(?!data:image/png;base64,)").matcher(page).find())
        .isFalse();
  }

  @Test
  void of_inlinesTheReferenceOnce() {
    Report report = report();
    assertThat(Pattern.compile("data:image").matcher(ReportPage.of(report)).results())
        .hasSize(report.variants().size());
  }

  @Test
  void of_tellsTheNumbers() throws Exception {
    Document page = parsed(ReportPage.of(report()));
    assertThat(page.getElementsByTagName("tbody").item(0).getTextContent())
        .contains(
            "taylor-3", "does taylor-3", "66.7 %", "2.82×", "2.75×", "2.72 – 2.77", "33.1 dB");
    assertThat(page.getElementsByTagName("pre").item(0).getTextContent())
        .isEqualTo("bin/harmonica demo");
    assertThat(page.getElementsByTagName("svg").getLength()).isEqualTo(1);
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
            .replaceAll("<(meta|img)( [^>]*)>", "<$1$2/>")
            .replaceAll("(?s)<style>.*?</style>", "");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(xml)));
  }
}
