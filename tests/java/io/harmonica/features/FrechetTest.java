package io.harmonica.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.HarmonicaException;
import java.util.Optional;
import java.util.Random;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.api.Test;

class FrechetTest {
  private static final Features A = features(50, 5, (i, j) -> Math.sin(1 + i * (j + 1) * 0.37 + j));
  private static final Features B =
      features(50, 5, (i, j) -> 1.5 * Math.cos(i * (j + 2) * 0.61 - j) + 0.2 * j);

  @Test
  void distance_isScipys() {
    // |m - p|^2 + trace(c + q - 2 * scipy.linalg.sqrtm(c @ q).real), numpy.cov of the same rows
    assertThat(Frechet.distance(A.statistics(), B.statistics()))
        .isCloseTo(1.9245517129614103, within(1e-10));
    assertThat(Frechet.distance(B.statistics(), A.statistics()))
        .isCloseTo(1.9245517129614103, within(1e-10));
  }

  @Test
  void distance_isScipys_ofFewerPicturesThanFeatures() {
    // sqrtm of a singular product is good to about 1e-6
    assertThat(Frechet.distance(A.rows(0, 4).statistics(), B.rows(0, 4).statistics()))
        .isCloseTo(11.478118881552305, within(1e-5));
  }

  @Test
  void distance_isTheClosedForm_ofDiagonalCovariances() {
    // sum of (m - p)^2 + (s - t)^2, with s, t the standard deviations
    FeatureStatistics a = diagonal(new double[] {1, -2, 0.5}, new double[] {0.5, 2, 3});
    FeatureStatistics b = diagonal(new double[] {0, -2, 2}, new double[] {1.5, 2, 0});
    double expected = 1 + 0 + 2.25 + 1 + 0 + 9;
    assertThat(Frechet.distance(a, b)).isCloseTo(expected, within(1e-12));
  }

  @Test
  void distance_isZero_toItself() {
    assertThat(Frechet.distance(A.statistics(), A.statistics())).isCloseTo(0, within(1e-12));
  }

  @Test
  void distance_isOfTheMeans_whereOneSetIsShifted() {
    Features shifted = features(50, 5, (i, j) -> A.values()[i][j] + 3);
    assertThat(Frechet.distance(A.statistics(), shifted.statistics()))
        .isCloseTo(5 * 9, within(1e-9));
  }

  @Test
  void between_isNumpysJackknife() {
    Estimate estimate = Frechet.between(A, B);
    assertThat(estimate.value()).isCloseTo(1.9245517129614103, within(1e-10));
    assertThat(estimate.high() - estimate.value()).isCloseTo(0.5445952955422968, within(1e-9));
    assertThat(estimate.value() - estimate.low()).isCloseTo(0.5445952955422968, within(1e-9));
  }

  @Test
  void to_coversTheDistanceOfLargeSets() {
    // Two normal sets that differ by 1 in the mean of 4 features: distance 4 plus little.
    int sets = 200;
    FeatureStatistics reference = normal(1, 20_000, 0).statistics();
    int covered = 0;
    for (int seed = 2; seed < 2 + sets; seed++) {
      Estimate estimate = Frechet.to(reference, normal(seed, 1000, 1));
      covered += estimate.low() <= 4 && 4 <= estimate.high() ? 1 : 0;
    }
    // 95 % of 200 are 190, give or take 3.1; the sets are drawn by seed, so this number is fixed
    assertThat(covered).isBetween(180, 198);
  }

  @Test
  void distance_refusesStatisticsOfAnotherNetwork() {
    FeatureStatistics other = new Features("b", A.values(), Optional.empty()).statistics();
    assertThatThrownBy(() -> Frechet.distance(A.statistics(), other))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "statistics are of two networks, a and b (SHA-256), with 5 and 5 features: make both with one");
  }

  @Test
  void between_saysHowManyPicturesItNeeds() {
    assertThatThrownBy(() -> Frechet.between(A.rows(0, 39), B.rows(0, 39)))
        .hasMessage(
            "too few pictures for the interval of a Frechet distance: 39, expected at least 40");
  }

  private static Features normal(int seed, int count, double mean) {
    Random random = new Random(seed);
    return features(count, 4, (i, j) -> mean + random.nextGaussian());
  }

  private static FeatureStatistics diagonal(double[] mean, double[] deviations) {
    double[][] covariance = new double[mean.length][];
    for (int i = 0; i < mean.length; i++) {
      covariance[i] = new double[i + 1];
      covariance[i][i] = deviations[i] * deviations[i];
    }
    return new FeatureStatistics(FeatureStatistics.FORMAT, "a", 10, mean, covariance);
  }

  private static Features features(
      int count, int width, ToDoubleBiFunction<Integer, Integer> value) {
    double[][] rows = new double[count][width];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < width; j++) {
        rows[i][j] = value.applyAsDouble(i, j);
      }
    }
    return new Features("a", rows, Optional.empty());
  }
}
