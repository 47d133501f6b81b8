package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.model.Resolution;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AspectBinsTest {

  @Test
  void nearest_isByRatio_notBySize() {
    assertThat(AspectBins.nearest(1024, new Resolution(600, 900)))
        .isEqualTo(new Resolution(832, 1216)); // 0.68 is nearer to 0.667 than 0.6 is
    assertThat(AspectBins.nearest(256, new Resolution(1000, 1000)))
        .isEqualTo(new Resolution(256, 256));
    assertThat(AspectBins.nearest(512, new Resolution(9000, 10)))
        .isEqualTo(new Resolution(1024, 256));
  }

  @Test
  @Tag("golden")
  void tables_areDiffusers() {
    JsonNode tables = Golden.json("aspect_ratio_bins.json");
    tables
        .properties()
        .forEach(
            table ->
                table
                    .getValue()
                    .forEach(
                        bin -> {
                          Resolution size = new Resolution(bin.get(0).asInt(), bin.get(1).asInt());
                          assertThat(AspectBins.nearest(Integer.parseInt(table.getKey()), size))
                              .isEqualTo(size);
                        }));
    assertThat(tables).hasSize(4);
  }

  @Test
  void nearest_forAnotherSide_namesTheKnown() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AspectBins.nearest(64, new Resolution(64, 96)))
        .withMessage(
            "`aspectBins` has no sizes for a model of 64 x 64 pixels, only for 256, 512, 1024 and 2048; leave it out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "512x", "x512", "512X768", "0x512", "512x768x3", "100000x1", ""})
  void resolution_isHeightByWidth(String text) {
    assertThat(Resolution.parse("512x768")).isEqualTo(new Resolution(512, 768));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Resolution.parse(text))
        .withMessageStartingWith("`resolution` ");
  }
}
