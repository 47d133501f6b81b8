package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.features.Estimate;
import java.io.StringReader;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class ReportTest {
  private static final String FAULT = "Triton server went away <here> & now";

  @Test
  void json_keepsTheContract() throws Exception {
    Report report = Reports.of(Reports.reference(), Reports.entry("fora-2", 0.5, 2, 1.9, 30.61234));
    JsonNode json = new ObjectMapper().readTree(report.json().toString());
    assertThat(json.path("rounds").asInt()).isEqualTo(Reports.ROUNDS);
    assertThat(json.path("command").asText()).isEqualTo("bin/harmonica demo");
    assertThat(json.path("machine").path("cores").asInt()).isEqualTo(2);
    JsonNode variant = json.path("variants").path(1);
    assertThat(variant.path("name").asText()).isEqualTo("fora-2");
    assertThat(variant.path("latencyMillis").path("p50").asDouble()).isBetween(400.0, 440.0);
    assertThat(variant.path("latencyMillis").path("p90").asDouble()).isPositive();
    assertThat(variant.path("latencyMillis").path("p99").asDouble()).isPositive();
    assertThat(variant.path("speedup").path("value").asDouble()).isEqualTo(1.9);
    assertThat(variant.path("speedup").path("low").asDouble()).isEqualTo(1.87);
    assertThat(variant.path("speedup").path("high").asDouble()).isEqualTo(1.92);
    assertThat(variant.path("theoreticalSpeedup").asDouble()).isEqualTo(2);
    assertThat(variant.path("realised").asDouble()).isEqualTo(0.95);
    assertThat(variant.path("cur").asDouble()).isEqualTo(0.5);
    assertThat(variant.path("psnr").asDouble()).isEqualTo(30.6123);
    assertThat(variant.path("ssim").asDouble()).isEqualTo(0.95);
    assertThat(variant.path("peakCacheBytes").asLong()).isEqualTo(1 << 20);
    assertThat(variant.path("settings").path("steps").asText()).isEqualTo("20");
    assertThat(variant.path("roundMillis")).hasSize(Reports.ROUNDS);
    assertThat(variant.path("timeMillis").path("blocks").asDouble()).isPositive();
    assertThat(variant.has("frechet")).isFalse();
  }

  @Test
  void json_hasNoPsnr_forIdenticalPictures() {
    JsonNode variant = Reports.of(Reports.reference()).json().path("variants").path(0);
    assertThat(variant.has("psnr")).isTrue();
    assertThat(variant.path("psnr").isNull()).isTrue();
  }

  @Test
  void json_tellsWhatANetworkSays() {
    Report.Entry a = Reports.reference();
    Judge.Judgement judgement =
        new Judge.Judgement(
            new Estimate(2.5, Double.NaN, Double.NaN),
            "those of A",
            Optional.of(Estimate.share(9, 10)));
    Report.Entry judged =
        new Report.Entry(
            a.key(),
            a.setting(),
            a.description(),
            a.measurement(),
            a.saved(),
            new Report.ToA(a.speedup(), a.quality(), Optional.of(judgement)),
            a.roles());
    JsonNode variant = Reports.of(judged).json().path("variants").path(0);
    assertThat(variant.path("frechet").path("value").asDouble()).isEqualTo(2.5);
    assertThat(variant.path("frechet").path("low").isNull()).isTrue();
    assertThat(variant.path("frechet").path("to").asText()).isEqualTo("those of A");
    assertThat(variant.path("accuracy").path("value").asDouble()).isEqualTo(0.9);
    assertThat(ReportTables.numbers(Reports.of(judged))).contains("2.50", "90.0 %");
  }

  @Test
  void notes_areEmpty_whereAllWentWell() {
    Report report = Reports.of(Reports.reference(), Reports.entry("fora-2", 0.5, 2, 1.9, 30));
    assertThat(report.notes()).isEmpty();
    assertThat(report.isFine()).isTrue();
  }

  @Test
  void notes_sayWhichVariantFailed_andWhatRemains() {
    Report report = Reports.of(Reports.reference(), Reports.failed("b", 3, FAULT));
    assertThat(report.notes())
        .containsExactly(
            "Variant b (b) failed in round 4 of 8, its earlier rounds count: " + FAULT);
    assertThat(report.isFine()).isFalse();
    JsonNode variant = report.json().path("variants").path(1);
    assertThat(variant.path("fault").asText()).isEqualTo(FAULT);
    assertThat(variant.path("rounds").asInt()).isEqualTo(3);
    assertThat(variant.path("speedup").path("value").asDouble()).isBetween(1.8, 2.2);
    assertThat(variant.path("speedup").path("low").isNull()).isTrue();
  }

  @Test
  void notes_sayWhichCallsTheServerDidNotCount() {
    Report report = Reports.of(Reports.reference(), Reports.uncounted("fora-2", 3));
    assertThat(report.notes())
        .containsExactly(
            "The server had not counted 3 calls of variant f (fora-2) two seconds after it answered"
                + " them: where its time goes is not all known.");
    assertThat(report.isFine()).isTrue();
  }

  @Test
  void notes_sayThatItWasInterrupted() {
    Report report = Reports.of(true, Reports.reference());
    assertThat(report.notes()).containsExactly("Interrupted: 8 of 8 rounds were measured.");
    assertThat(report.isFine()).isFalse();
  }

  @Test
  void notes_sayHowManyRoundsAnIntervalTakes() {
    Report.Entry few = Reports.failed("b", 5, FAULT);
    assertThat(Reports.of(few).notes())
        .anySatisfy(
            note ->
                assertThat(note)
                    .isEqualTo("5 rounds are too few for a 95 % interval: it takes at least 6."));
  }

  @Test
  void junit_hasACaseForEachVariantAndGate() throws Exception {
    List<Gate> gates =
        List.of(
            Gate.parse("f.speedup < 1.95", List.of("n", "f", "b")),
            Gate.parse("f.ssim < 0.5", List.of("n", "f", "b")));
    Report report =
        Reports.of(
                Reports.reference(),
                Reports.entry("fora-2", 0.5, 2, 1.9, 30),
                Reports.failed("b", 3, FAULT))
            .judgedBy(gates);
    Document xml =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(report.junit())));
    Element suite = xml.getDocumentElement();
    assertThat(suite.getAttribute("tests")).isEqualTo("5");
    assertThat(suite.getAttribute("failures")).isEqualTo("2");
    assertThat(xml.getElementsByTagName("testcase").getLength()).isEqualTo(5);
    Element fault = (Element) xml.getElementsByTagName("failure").item(0);
    assertThat(fault.getAttribute("message")).isEqualTo(FAULT);
    Element gate = (Element) xml.getElementsByTagName("failure").item(1);
    assertThat(gate.getAttribute("message")).isEqualTo("f.speedup.value = 1.90");
    assertThat(((Element) gate.getParentNode()).getAttribute("name"))
        .isEqualTo("fail if f.speedup < 1.95");
  }

  @Test
  void constructor_refusesNoVariants() {
    assertThatThrownBy(Reports::of).isInstanceOf(IllegalArgumentException.class);
  }
}
