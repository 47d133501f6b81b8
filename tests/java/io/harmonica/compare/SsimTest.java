package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.HarmonicaException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SsimTest {

  @Test
  void of_comparesMeans_whereNothingVaries() {
    // No variance: only the luminance term is left, (2 ab + C1) / (a^2 + b^2 + C1).
    double expected = (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4);
    assertThat(Ssim.of(flat(0.2), flat(0.6), 1, 12, 12)).isCloseTo(expected, within(1e-9));
  }

  @Test
  void of_isNegative_forANegative() {
    // Means are equal in the middle of a chess board, the covariance is minus the variance.
    double[] board = new double[144];
    double[] negative = new double[144];
    for (int i = 0; i < 144; i++) {
      board[i] = (i + i / 12) % 2;
      negative[i] = 1 - board[i];
    }
    assertThat(Ssim.of(board, negative, 1, 12, 12)).isLessThan(-0.9);
  }

  @Test
  void of_averagesOverChannels() {
    double[] x = new double[288];
    double[] y = new double[288];
    Arrays.fill(x, 0, 144, 0.2);
    Arrays.fill(y, 0, 144, 0.6);
    double one = Ssim.of(flat(0.2), flat(0.6), 1, 12, 12);
    assertThat(Ssim.of(x, y, 2, 12, 12)).isCloseTo((one + 1) / 2, within(1e-9));
  }

  @Test
  void of_refusesPicturesBelowTheWindow() {
    assertThatThrownBy(() -> Ssim.of(new double[80], new double[80], 1, 8, 10))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll("11 x 11", "8 x 10");
  }

  private static double[] flat(double value) {
    double[] plane = new double[144];
    Arrays.fill(plane, value);
    return plane;
  }
}
