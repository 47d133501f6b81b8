package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.picture.Latents;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Traffic;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MeasurementTest {
  private static final Latents SOME = Reports.pictures(1, new Random(1));
  private static final Latents OTHERS = Reports.pictures(1, new Random(2));

  @Test
  void speedupAndQuality_areOverTheRoundsThatBothHave() {
    Measurement a = measurement(turn(200, SOME), turn(210, SOME), turn(500, SOME));
    Measurement b = measurement(turn(100, SOME), turn(105, OTHERS));
    assertThat(b.speedupTo(a, 0).orElseThrow().value()).isEqualTo(2);
    Quality quality = b.qualityTo(a).orElseThrow();
    assertThat(quality.psnrDecibels()).hasSize(2);
    assertThat(quality.psnrDecibels().get(0)).isInfinite();
    assertThat(quality.meanSsim()).isBetween(0.1, 0.9); // one picture of two is the same
  }

  @Test
  void nothingMeasured_hasNoNumbers() {
    Measurement none = measurement();
    Measurement a = measurement(turn(200, SOME));
    assertThat(none.latency()).isEmpty();
    assertThat(none.speedupTo(a, 0)).isEmpty();
    assertThat(none.qualityTo(a)).isEmpty();
    assertThat(none.peakCacheBytes()).isZero();
  }

  @Test
  void quality_isEmpty_forLatentsThatAreNoPictures() {
    Latents latents = new Latents(new float[4 * 16 * 16], 1, 4, 16, 16);
    Measurement measurement = measurement(turn(100, latents));
    assertThat(measurement.qualityTo(measurement)).isEmpty();
  }

  @Test
  void totals_areOverAllRounds() {
    Measurement measurement = measurement(turn(100, SOME), turn(300, OTHERS));
    assertThat(measurement.picturesPerSecond()).isCloseTo(2 / 400e-9, within(1.0));
    assertThat(measurement.wireBytesPerPicture()).isEqualTo(17);
    assertThat(measurement.peakCacheBytes()).isEqualTo(300);
    assertThat(measurement.latents().values())
        .containsExactly(concatenated(SOME.values(), OTHERS.values()));
  }

  private static float[] concatenated(float[] first, float[] second) {
    float[] both = java.util.Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static Measurement measurement(Turn... turns) {
    return new Measurement("v", List.of(turns), Optional.empty());
  }

  private static Turn turn(long nanos, Latents latents) {
    Variant.Sample sample = new Variant.Sample(latents, nanos, nanos, nanos, 20);
    return new Turn(
        nanos,
        nanos,
        new long[] {nanos},
        List.of(sample),
        new Statistics(Map.of(), new Traffic(10, 7, 0, 0, 0)));
  }
}
