package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class ReuseTest {
  private static final double ROUNDING = 1e-12;

  private static double forecast(
      Reuse reuse, int step, List<Integer> computed, DoubleUnaryOperator f) {
    double[] weights = reuse.weights(step, 0, computed);
    double sum = 0;
    for (int k = 0; k < weights.length; k++) {
      sum += weights[k] * f.applyAsDouble(computed.get(k));
    }
    return sum;
  }

  @Test
  void last_anyHistory_repeatsTheNewest() {
    assertThat(Reuse.LAST.weights(7, 0, List.of(5, 2, 0))).containsExactly(1);
  }

  @Test
  void linear_unevenSteps_extendsTheLine() {
    assertThat(Reuse.LINEAR.weights(7, 0, List.of(5, 1, 0))).containsExactly(1.5, -0.5);
    assertThat(forecast(Reuse.LINEAR, 7, List.of(5, 1, 0), s -> 3 - 2 * s))
        .isCloseTo(3 - 2 * 7, within(ROUNDING));
  }

  @Test
  void quadratic_unevenSteps_isTaylorSeersSecondOrder() {
    // f = s^2 at steps 8, 5, 1, forecast at 10 by the definition, not by the weights' formula
    double first = (64.0 - 25) / 3;
    double before = (25.0 - 1) / 4;
    double second = (first - before) / 3;
    assertThat(forecast(Reuse.QUADRATIC, 10, List.of(8, 5, 1), s -> s * s))
        .isCloseTo(64 + 2 * first + 2 * second, within(ROUNDING));
    assertThat(Reuse.QUADRATIC.weights(3, 0, List.of(2, 1, 0))).containsExactly(2.5, -2, 0.5);
  }

  @Test
  void forecast_shortHistory_fallsToTheLowerOrder() {
    assertThat(Reuse.QUADRATIC.weights(3, 0, List.of(2, 1))).containsExactly(2, -1);
    assertThat(Reuse.QUADRATIC.weights(1, 0, List.of(0))).containsExactly(1);
    assertThat(Reuse.LINEAR.weights(1, 0, List.of(0))).containsExactly(1);
  }

  @Test
  void weights_trailingZeros_shortenTheHistory() {
    var reuse = new Reuse.Weights(new double[][][] {{{1}}, {{1.5, 0, 0}}, {{0, 1, 0}}, {{1, 0}}});
    assertThat(reuse.weights(2, 0, List.of(1, 0))).containsExactly(0, 1);
    assertThat(reuse.weights(3, 0, List.of(1, 0))).containsExactly(1);
  }
}
