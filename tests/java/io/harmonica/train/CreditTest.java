package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.harmonica.torch.Scope;
import io.harmonica.train.TrainOptions.Reusing;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Walk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CreditTest {
  private static final float NUDGE = 0.05f;

  /**
   * A row's gradient by the next step's loss, against differences of that loss itself: of the last
   * column, as an earlier one changes by the way what those behind it store.
   */
  @ParameterizedTest
  @EnumSource(
      value = Reusing.class,
      names = {"LAST", "LINEAR", "QUADRATIC"})
  void storedOutput_hasTheNextLosssDerivative(Reusing reuse) {
    try (Tiny tiny = new Tiny(4)) {
      Denoising denoising = tiny.denoising();
      SoftRouting routing = tiny.routing(reuse);
      Batch batch = denoising.draw(1, 3);
      Table table = tiny.table(0);
      int last = table.columns() - 1;
      table.logits()[1][last] = 0; // it stores
      table.logits()[2][last] = -3; // it reuses
      float[] atTwo = {0, 0, 1, 0}; // only step 2's loss counts
      Updates updates = new Updates(table.copy(), atTwo, 0, 0.01);
      List<float[]> samples = new ArrayList<>();
      new Sdt(denoising, routing, true)
          .iterate(table, batch, updates, (found, x) -> samples.add(x.clone()));

      float gradient = updates.losses().get(0).gradient()[last]; // of row 1
      double above = lossAtTwo(denoising, routing, nudged(table, NUDGE), batch, samples.get(0));
      double below = lossAtTwo(denoising, routing, nudged(table, -NUDGE), batch, samples.get(0));
      assertThat((double) gradient)
          .isCloseTo((above - below) / (2 * NUDGE), withinPercentage(1))
          .isNotZero();
    }
  }

  /** What did not store might have. */
  @Test
  void outputThatIsNotStored_hasCreditToo() {
    try (Tiny tiny = new Tiny(4)) {
      Denoising denoising = tiny.denoising();
      Table table = tiny.table(0);
      Arrays.fill(table.logits()[2], -3); // it reuses
      Updates updates = new Updates(table.copy(), new float[] {0, 0, 1, 0}, 0, 0.01);
      new Sdt(denoising, tiny.routing(Reusing.LAST), true)
          .iterate(table, denoising.draw(1, 3), updates);
      for (int b = 0; b < table.columns(); b++) {
        assertThat(updates.losses().get(0).gradient()[b]).as("column " + b).isNotZero();
        assertThat(updates.losses().get(2).gradient()[b]).as("column " + b).isZero(); // the last's
      }
    }
  }

  @Test
  void withoutCredit_aRowHasItsOwnLossOnly() {
    try (Tiny tiny = new Tiny(4)) {
      Denoising denoising = tiny.denoising();
      Table table = tiny.table(0);
      Updates updates = new Updates(table.copy(), new float[] {0, 0, 1, 0}, 0, 0.01);
      new Sdt(denoising, tiny.routing(Reusing.LAST), false)
          .iterate(table, denoising.draw(1, 3), updates);
      assertThat(updates.losses().get(0).gradient()).containsOnly(0f);
    }
  }

  private static Table nudged(Table table, float by) {
    Table nudged = table.copy();
    nudged.logits()[1][table.columns() - 1] += by;
    return nudged;
  }

  /** Of a walk whose samples at step 2 are given, so that row 1 acts by the cache alone. */
  private static double lossAtTwo(
      Denoising denoising, SoftRouting routing, Table table, Batch batch, float[] samples) {
    try (Walk walk = Walk.start(denoising, batch, routing.history(), 0)) {
      denoising.advance(walk, at -> routing.soft(at, table));
      denoising.advance(walk, at -> routing.soft(at, table));
      System.arraycopy(samples, 0, walk.x(), 0, samples.length);
      try (Scope scope = Scope.open()) {
        return Sdt.gradient(denoising, routing, table, walk).mse();
      }
    }
  }
}
