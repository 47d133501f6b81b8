package io.harmonica.train.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.router.Grain;
import io.harmonica.router.Reuse;
import io.harmonica.sampler.Diffusion;
import io.harmonica.train.Tiny;
import io.harmonica.train.search.Measure.Rated;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Column;
import io.harmonica.train.trajectory.Denoising;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What comes after the exchange: weights tuned, neighbours merged. */
class TuningTest {
  private static final int STEPS = 6;
  private static final int HISTORY = 3;

  /** Every second step computes all columns. */
  private static Routing everySecond(Denoising denoising) {
    boolean[][] computes = new boolean[STEPS][denoising.columns()];
    for (int s = 0; s < STEPS; s += 2) {
      Arrays.fill(computes[s], true);
    }
    return new Routing(computes, new Reuse.Forecast(HISTORY - 1)::weights);
  }

  private static Measure measure(Denoising denoising, long seed) {
    return new Measure(denoising, HISTORY, List.of(denoising.draw(2, seed)));
  }

  @Test
  void of_lowersTheExactError_byTheWeightsAlone() {
    try (Tiny tiny = new Tiny(STEPS, "ddim", Diffusion.DDPM, Grain.MODEL)) {
      Denoising denoising = tiny.denoising();
      Measure deciding = measure(denoising, 1);
      Rated start = deciding.rate(everySecond(denoising));
      Rated tuned = Tuning.of(deciding, measure(denoising, 2), start, 3, () -> {});
      assertThat(tuned.error()).isLessThan(0.9 * start.error());
      assertThat(deciding.error(tuned.routing())).isEqualTo(tuned.error());
      assertThat(tuned.routing().computes()).isDeepEqualTo(start.routing().computes());
      assertThat(tuned.routing().weights().of(1, 0, List.of(0))).containsExactly(1);
      assertThat(tuned.routing().weights().of(5, 0, List.of(4, 2, 0))).hasSize(3);
    }
  }

  @Test
  void merge_reusesNeighboursAsOne_forLittle() {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      Measure deciding = measure(denoising, 1);
      Rated start = deciding.rate(everySecond(denoising));
      Merge merge = Merge.of(deciding, start, new Reuse.Forecast(HISTORY - 1)::weights);
      List<Column> all = merge.measure().denoising().all();
      assertThat(all.subList(0, 6)).isEqualTo(denoising.all());
      assertThat(all.subList(6, all.size())).singleElement().matches(run -> run.size() == 6);
      assertThat(merge.best().error()).isLessThanOrEqualTo(1.05 * start.error());
      assertThat(merge.measure().error(merge.best().routing())).isEqualTo(merge.best().error());
    }
  }

  @Test
  void equations_areSolved() {
    double[] solution = LinearEquations.solve(new double[][] {{4, 1, 6}, {1, 3, 7}});
    assertThat(solution[0]).isCloseTo(1, within(1e-12));
    assertThat(solution[1]).isCloseTo(2, within(1e-12));
  }
}
