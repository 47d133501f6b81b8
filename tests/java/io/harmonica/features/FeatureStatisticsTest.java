package io.harmonica.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureStatisticsTest {
  private static final Features FEATURES =
      new Features("net", new double[][] {{1, 10}, {2, 8}, {6, 3}}, Optional.empty());

  @TempDir Path folder;

  @Test
  void statistics_areMeanAndUnbiasedCovariance() {
    FeatureStatistics statistics = FEATURES.statistics();
    assertThat(statistics.mean()).containsExactly(new double[] {3, 7}, within(1e-12));
    assertThat(statistics.covariance()[0]).containsExactly(new double[] {7}, within(1e-12));
    assertThat(statistics.covariance()[1]).containsExactly(new double[] {-9.5, 13}, within(1e-12));
    assertThat(statistics.fullRank()).isTrue();
  }

  @Test
  void statistics_keepTheirDigits_farFromZero() {
    double[][] rows = {{1e8 + 1}, {1e8 + 2}, {1e8 + 6}};
    FeatureStatistics statistics = new Features("net", rows, Optional.empty()).statistics();
    assertThat(statistics.covariance()[0][0]).isCloseTo(7, within(1e-6));
  }

  @Test
  void statistics_sayHowManyPicturesTheyNeed() {
    assertThatThrownBy(() -> FEATURES.rows(0, 1).statistics())
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "too few pictures for a covariance: 1, expected at least 2, and more than the 2 features for one of full rank");
    assertThat(FEATURES.rows(0, 2).statistics().fullRank()).isFalse();
  }

  @Test
  void read_givesWhatWasWritten() {
    Path file = folder.resolve("stats.json");
    FEATURES.statistics().write(file);
    FeatureStatistics read = FeatureStatistics.read(file);
    assertThat(read).usingRecursiveComparison().isEqualTo(FEATURES.statistics());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"format\":\"x\"}                          | network",
        "[1,                                         | from Array value",
        "{\"format\":                               | Unexpected end-of-input",
        "{\"format\":\"other/1\",\"network\":\"n\",\"count\":3,\"mean\":[1],\"covariance\":[[1]]} | format is 'other/1', expected 'harmonica-features/1'",
        "{\"format\":\"harmonica-features/1\",\"network\":\"n\",\"count\":1,\"mean\":[1],\"covariance\":[[1]]} | count is 1, expected at least 2",
        "{\"format\":\"harmonica-features/1\",\"network\":\"n\",\"count\":3,\"mean\":[1,2],\"covariance\":[[1]]} | covariance has 1 rows for a mean of 2 values",
        "{\"format\":\"harmonica-features/1\",\"network\":\"n\",\"count\":3,\"mean\":[\"NaN\"],\"covariance\":[[1]]} | mean[0] is NaN",
        "{\"format\":\"harmonica-features/1\",\"network\":\"n\",\"count\":3,\"mean\":[1],\"covariance\":[[1,2]]} | covariance[0] has 2 values, expected 1",
      })
  void read_saysWhatIsWrong(String text, String fault) throws IOException {
    Path file = folder.resolve("stats.json");
    Files.writeString(file, text);
    assertThatThrownBy(() -> FeatureStatistics.read(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(file.toString(), fault)
        .hasMessageNotContaining("\n");
  }

  @Test
  void accuracy_countsTheGreatestLogits() {
    double[][] logits = {{0, 2, 1}, {3, 2, 1}, {0, 0, 5}, {9, 8, 7}};
    Features features = new Features("net", new double[4][2], Optional.of(logits));
    assertThat(features.accuracy(List.of(1, 0, 2, 1)).value()).isEqualTo(0.75);
    assertThatThrownBy(() -> features.accuracy(List.of(1, 0, 2, 3)))
        .hasMessage(
            "the network knows classes 0..2, picture 3 is of class 3: use a network for this model's classes");
    assertThatThrownBy(() -> FEATURES.accuracy(List.of(0, 0, 0)))
        .hasMessageContaining("no output 'logits'");
  }
}
