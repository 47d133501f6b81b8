package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.harmonica.torch.Scope;
import io.harmonica.train.TrainOptions.Lambda;
import io.harmonica.train.TrainOptions.Reusing;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class IepoTest {
  private static final int STEPS = 5;

  @ParameterizedTest
  @CsvSource({
    "LAST,ddim",
    "LINEAR,ddim",
    "QUADRATIC,ddim",
    "LEARNED,ddim",
    "LAST,dpm-solver++",
    "LAST,sa-solver",
    "LAST,iddpm"
  })
  void paper_forked_equalsTheNaiveRunsInHalfThePasses(Reusing reuse, String sampler) {
    try (Tiny tiny = new Tiny(STEPS, sampler)) {
      Denoising denoising = tiny.denoising();
      SoftRouting routing = tiny.routing(reuse);
      Table table = tiny.table(reuse.weights());
      Batch batch = denoising.draw(1, 3);

      float[] lambda = new Iepo(denoising, routing).lambda(Lambda.PAPER, table, batch);
      assertThat(denoising.passes()).isEqualTo(STEPS * (STEPS + 1) / 2);

      float[] plain = naive(denoising, routing, table, batch, s -> false);
      for (int s = 1; s < STEPS; s++) {
        int disabled = s;
        float[] other = naive(denoising, routing, table, batch, step -> step == disabled);
        double sum = 0;
        for (int i = 0; i < plain.length / 2; i++) { // the first half: the pictures
          sum += ((double) plain[i] - other[i]) * ((double) plain[i] - other[i]);
        }
        assertThat(lambda[s]).as("step " + s).isEqualTo((float) sum).isPositive();
      }
      assertThat(denoising.passes()).isEqualTo(STEPS * (STEPS + 1) / 2 + STEPS * STEPS);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ddim", "iddpm"})
  void gain_isThePapersOverTheErrorOfTheStepsOwnPrediction(String sampler) {
    try (Tiny tiny = new Tiny(STEPS, sampler)) {
      Denoising denoising = tiny.denoising();
      SoftRouting routing = tiny.routing(Reusing.LINEAR);
      Table table = tiny.table(0);
      Batch batch = denoising.draw(1, 3);
      Iepo iepo = new Iepo(denoising, routing);

      float[] gain = iepo.lambda(Lambda.GAIN, table, batch);
      assertThat(denoising.passes()).isEqualTo(STEPS * (STEPS + 1) / 2);

      float[] paper = iepo.lambda(Lambda.PAPER, table, batch);
      int size = batch.noise().length / batch.copies();
      try (Walk walk = Walk.start(denoising, batch, routing.history(), 0)) {
        denoising.advance(walk, at -> routing.soft(at, table));
        for (int s = 1; s < STEPS; s++) {
          double mse;
          try (Scope scope = Scope.open()) {
            Updates.Gradient found = Sdt.gradient(denoising, routing, table, walk); // as trained
            mse = found.mse();
            walk.advance(found.prediction());
          }
          assertThat((double) gain[s]).isCloseTo(paper[s] / size / mse, withinPercentage(0.1));
        }
      }
    }
  }

  @Test
  void gain_ofSeveralPictures_isTheirGeometricMean() {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      Table table = tiny.table(0);
      Iepo iepo = new Iepo(denoising, tiny.routing(Reusing.LAST));
      Batch both = denoising.draw(2, 3);
      float[] first = iepo.lambda(Lambda.GAIN, table, picture(both, 0));
      float[] second = iepo.lambda(Lambda.GAIN, table, picture(both, 1));
      float[] gain = iepo.lambda(Lambda.GAIN, table, both);
      for (int s = 1; s < STEPS; s++) {
        assertThat((double) gain[s])
            .isCloseTo(Math.sqrt((double) first[s] * second[s]), withinPercentage(1));
      }
      assertThat(first[1]).isNotEqualTo(second[1]);
    }
  }

  /** One of a batch, by itself. */
  private static Batch picture(Batch batch, int index) {
    int size = batch.noise().length / (batch.pictures() * batch.copies());
    float[] noise = new float[size * batch.copies()];
    for (int copy = 0; copy < batch.copies(); copy++) {
      int from = (copy * batch.pictures() + index) * size;
      System.arraycopy(batch.noise(), from, noise, copy * size, size);
    }
    return new Batch(new int[] {batch.classes()[index]}, noise, batch.copies(), batch.seed());
  }

  @ParameterizedTest
  @EnumSource(Reusing.class)
  void reference_forked_equalsTheNaiveRuns(Reusing reuse) {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      SoftRouting routing = tiny.routing(reuse);
      Table table = tiny.table(0);
      Batch batch = denoising.draw(1, 3);

      float[] lambda = new Iepo(denoising, routing).lambda(Lambda.REFERENCE, table, batch);
      assertThat(denoising.passes()).isEqualTo(STEPS * (STEPS + 1) / 2);

      float[] before = naive(denoising, routing, table, batch, s -> true);
      for (int s = 1; s < STEPS; s++) {
        int soft = s;
        float[] now = naive(denoising, routing, table, batch, step -> step > soft);
        double sum = 0;
        for (int i = 0; i < now.length; i++) {
          sum += ((double) now[i] - before[i]) * ((double) now[i] - before[i]);
        }
        assertThat(lambda[s]).as("step " + s).isEqualTo((float) (sum / now.length));
        before = now;
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Lambda.class)
  void lambda_stepZero_hasNone(Lambda kind) {
    try (Tiny tiny = new Tiny(3)) {
      Denoising denoising = tiny.denoising();
      float[] lambda =
          new Iepo(denoising, tiny.routing(Reusing.LAST))
              .lambda(kind, tiny.table(0), denoising.draw(1, 3));
      assertThat(lambda).hasSize(3);
      assertThat(lambda[0]).isZero();
      assertThat(lambda[1]).isPositive();
    }
  }

  /** A whole trajectory, caching disabled at some steps. */
  private static float[] naive(
      Denoising denoising, SoftRouting routing, Table table, Batch batch, IntPredicate disabled) {
    try (Walk walk = Walk.start(denoising, batch, routing.history(), 0)) {
      denoising.finish(
          walk, at -> disabled.test(at.step()) ? Substitute.disabled(at) : routing.soft(at, table));
      return walk.x();
    }
  }
}
