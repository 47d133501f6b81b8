package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.train.search.Target;
import org.junit.jupiter.api.Test;

class LandingTest {
  private static final boolean[] TRAINABLE = {false, true, true};

  private static Table table(float... logits) {
    return Table.of(new float[][] {{0, 0}, {logits[0], logits[1]}, {logits[2], logits[3]}}, 0);
  }

  private static Target budget(double budget, double... weights) {
    return new Target("speedup", 1, weights, budget);
  }

  @Test
  void land_computesTheHighestScores() {
    assertThat(Landing.land(table(1, -3, 4, 2), TRAINABLE, budget(4, 1, 1)))
        .isDeepEqualTo(new boolean[][] {{true, true}, {false, false}, {true, true}});
  }

  @Test
  void land_whereTheNextDoesNotFit_takesALighterOne() {
    assertThat(Landing.land(table(1, 3, 4, 2), TRAINABLE, budget(4 + 2 + 0.5, 1, 3)))
        .isDeepEqualTo(new boolean[][] {{true, true}, {true, false}, {true, false}});
  }

  @Test
  void land_equalScores_computesWhatIsPushedUp() {
    Table table = table(-5, -5, -5, -5);
    table.updateLogits(1, new float[] {1, 1}, 0.01);
    table.updateLogits(2, new float[] {1, -1e-3f}, 0.01);
    table.logits()[2][1] = -5;
    assertThat(Landing.land(table, TRAINABLE, budget(3, 1, 1))[2]).containsExactly(false, true);
  }
}
