package io.harmonica.train.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.router.Reuse;
import io.harmonica.train.Tiny;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import java.util.List;
import org.junit.jupiter.api.Test;

class RefitTest {
  private static final int STEPS = 4;
  private static final int REUSED = 2; // the first step that reuses, so nothing is fitted before
  private static final int BRANCH = 3;
  private static final List<Integer> STORED = List.of(1, 0);

  /** All is computed but one branch at one step, and at the last one. */
  private static Routing routing() {
    boolean[][] computes = new boolean[STEPS][6];
    for (boolean[] row : computes) {
      java.util.Arrays.fill(row, true);
    }
    computes[REUSED][BRANCH] = false;
    computes[STEPS - 1][BRANCH] = false;
    return new Routing(computes, new Reuse.Forecast(1)::weights);
  }

  @Test
  void of_severalBatches_isTheLeastSquaresOfAll() {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      List<Batch> batches = List.of(denoising.draw(2, 1), denoising.draw(2, 2));
      double[] old = routing().weights().of(REUSED, BRANCH, STORED);
      double[] fitted = Refit.of(denoising, batches, 2, routing(), 1).of(REUSED, BRANCH, STORED);
      double[] half = Refit.of(denoising, batches, 2, routing(), 0.5).of(REUSED, BRANCH, STORED);
      assertThat(old).containsExactly(2, -1);
      double least = residual(denoising, batches, fitted);
      assertThat(least).isLessThan(0.9 * residual(denoising, batches, old));
      for (double[] away : new double[][] {{0.02, 0}, {-0.02, 0}, {0, 0.02}, {0, -0.02}}) {
        double[] other = {fitted[0] + away[0], fitted[1] + away[1]};
        assertThat(residual(denoising, batches, other)).isGreaterThan(least);
      }
      for (int j = 0; j < 2; j++) {
        assertThat(half[j]).isCloseTo((old[j] + fitted[j]) / 2, within(1e-9));
      }
    }
  }

  /** The squares that are left of what the branch would compute, over all pictures. */
  private static double residual(Denoising denoising, List<Batch> batches, double[] weights) {
    double sum = 0;
    for (Batch batch : batches) {
      float[][][] computed = Routed.of(denoising, batch, 2, routing()).computed();
      float[] output = computed[REUSED][BRANCH];
      for (int i = 0; i < output.length; i++) {
        double left = output[i];
        for (int j = 0; j < weights.length; j++) {
          left -= weights[j] * computed[STORED.get(j)][BRANCH][i];
        }
        sum += left * left;
      }
    }
    return sum;
  }

  @Test
  void of_otherStoredSteps_leavesTheWeightsBefore() {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      Refit refit = Refit.of(denoising, List.of(denoising.draw(2, 1)), 2, routing(), 1);
      assertThat(refit.of(REUSED, BRANCH, List.of(0))).containsExactly(1);
      assertThat(refit.of(REUSED, 0, STORED)).containsExactly(2, -1);
    }
  }
}
