package io.harmonica.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Site;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RangesTest {
  private static final Site TWO = site(2);
  private static final Ranges.Notes NOTES = new Ranges.Notes("abc", 1, 1, Map.of("every", "4"));

  @TempDir Path folder;

  private static Site site(int in) {
    return new Site(List.of(new Site.Reader("map.weight", 3)), in, Site.Kind.MADE, "");
  }

  private Path write(Map<Site, float[]> moments) {
    Path file = folder.resolve("ranges.safetensors");
    Ranges.write(file, NOTES, Map.of(TWO, new float[] {1, 2}), moments);
    return file;
  }

  @Test
  void whatWasObserved_isReadAgain() {
    float[] moment = {5, 6, 6, 8};
    try (Ranges ranges = Ranges.open(write(Map.of(TWO, moment)))) {
      assertThat(ranges.notes()).isEqualTo(NOTES);
      ranges.requireWhole().requireOf("abc", List.of(TWO)).requireMoments(List.of(TWO));
      assertThat(ranges.largest(TWO)).containsExactly(1, 2);
      assertThat(ranges.moment(TWO).orElseThrow().get()).containsExactly(moment);
    }
  }

  @Test
  void moments_thatAreMissing_orOfAnotherSize_areRefused() {
    try (Ranges ranges = Ranges.open(write(Map.of()))) {
      assertThat(ranges.moment(TWO)).isEmpty();
      assertThatThrownBy(() -> ranges.requireMoments(List.of(TWO)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(
              " has no moments of map.weight: make it with harmonica calibrate and its `moments`"
                  + " all");
    }
    try (Ranges ranges = Ranges.open(write(Map.of(site(3), new float[9])))) {
      assertThatThrownBy(() -> ranges.moment(TWO))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(" has moments [3, 3] of map.weight, not 2 channels by 2");
    }
  }
}
