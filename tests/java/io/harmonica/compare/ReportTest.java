package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.generate.Latents;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReportTest {

  @Test
  void json_keepsTheContract() throws Exception {
    Report report = Reports.of(Reports.reference(), Reports.entry("fora-2", 0.5, 2, 1.9, 30.61234));
    JsonNode json = new ObjectMapper().readTree(report.json().toString());
    assertThat(json.path("rounds").asInt()).isEqualTo(5);
    assertThat(json.path("command").asText()).isEqualTo("bin/harmonica demo");
    assertThat(json.path("machine").path("cores").asInt()).isEqualTo(2);
    JsonNode variant = json.path("variants").path(1);
    assertThat(variant.path("name").asText()).isEqualTo("fora-2");
    assertThat(variant.path("latencyMillis").path("p99").asDouble()).isEqualTo(427.5504);
    assertThat(variant.path("speedup").path("value").asDouble()).isEqualTo(1.9);
    assertThat(variant.path("speedup").path("low").asDouble()).isEqualTo(1.87);
    assertThat(variant.path("speedup").path("high").asDouble()).isEqualTo(1.92);
    assertThat(variant.path("theoreticalSpeedup").asDouble()).isEqualTo(2);
    assertThat(variant.path("realised").asDouble()).isEqualTo(0.95);
    assertThat(variant.path("cur").asDouble()).isEqualTo(0.5);
    assertThat(variant.path("psnr").asDouble()).isEqualTo(30.6123);
    assertThat(variant.path("ssim").asDouble()).isEqualTo(0.95);
  }

  @Test
  void json_hasNoPsnr_forIdenticalPictures() {
    JsonNode variant = Reports.of(Reports.reference()).json().path("variants").path(0);
    assertThat(variant.has("psnr")).isTrue();
    assertThat(variant.path("psnr").isNull()).isTrue();
  }

  @Test
  void entry_comparesMeasurementsToA() {
    Latents pictures = latents(1);
    Measurement a =
        new Measurement(
            "none", List.of(new Variant.Run(200, pictures), new Variant.Run(210, pictures)));
    Measurement b =
        new Measurement(
            "fora-2", List.of(new Variant.Run(100, pictures), new Variant.Run(105, latents(2))));
    Report.Entry entry = Report.Entry.of(b, a, "every second step", 0.5, 2.5, 0);
    assertThat(entry.speedup().value()).isEqualTo(2);
    assertThat(entry.realised()).isEqualTo(0.8);
    assertThat(entry.ssim()).isBetween(0.1, 0.9); // one picture of two is the same
    assertThat(Report.Entry.of(a, a, "", 0, 1, 0).identical()).isTrue();
  }

  @Test
  void constructor_refusesNoVariants() {
    assertThatThrownBy(Reports::of).isInstanceOf(IllegalArgumentException.class);
  }

  private static Latents latents(long seed) {
    Random random = new Random(seed);
    float[] values = new float[256];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    return new Latents(values, 1, 1, 16, 16);
  }
}
