package io.harmonica.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class EstimateTest {
  @Test
  void mean_hasTheNormalInterval() {
    Estimate estimate = Estimate.mean(List.of(1.0, 2.0, 4.0, 5.0)); // s^2 = 10/3
    double half = 1.959964 * Math.sqrt(10.0 / 3 / 4);
    assertThat(estimate.value()).isEqualTo(3);
    assertThat(estimate.low()).isCloseTo(3 - half, within(1e-6));
    assertThat(estimate.high()).isCloseTo(3 + half, within(1e-6));
  }

  @Test
  void mean_isInfinite_whereOneValueIs() {
    double infinite = Double.POSITIVE_INFINITY;
    assertThat(Estimate.mean(List.of(1.0, infinite)))
        .isEqualTo(new Estimate(infinite, infinite, infinite));
  }

  @Test
  void share_hasWilsonsInterval() {
    // scipy.stats.binomtest(90, 100).proportion_ci(0.95, "wilson")
    Estimate estimate = Estimate.share(90, 100);
    assertThat(estimate.value()).isEqualTo(0.9);
    assertThat(estimate.low()).isCloseTo(0.825634, within(1e-6));
    assertThat(estimate.high()).isCloseTo(0.944771, within(1e-6));
  }

  @Test
  void share_staysInside_atItsEnds() {
    assertThat(Estimate.share(10, 10).high()).isEqualTo(1);
    assertThat(Estimate.share(10, 10).low()).isCloseTo(0.722467, within(1e-6));
    assertThat(Estimate.share(0, 10).low()).isEqualTo(0);
  }

  @Test
  void share_refusesMoreThanAll() {
    assertThatThrownBy(() -> Estimate.share(11, 10)).hasMessage("a share of 11 in 10");
  }
}
