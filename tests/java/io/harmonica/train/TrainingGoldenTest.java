package io.harmonica.train;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.difference;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.torch.Scope;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Training's numbers against HarmoniCa's own code; tolerances are those of the vectors' READMEs.
 */
@Tag("golden")
class TrainingGoldenTest {
  private static final double OUTPUT = 1e-4;
  private static final double MSE = 2e-3;
  private static final double GRADIENT_OF_MSE = 2e-3;
  private static final double GRADIENT = 1e-3;
  private static final double LAMBDA = 5e-3;
  private static final double LAST_LAMBDA = 0.5;
  private static final double LOGITS = 1e-4;

  /** Adam's first steps are of the learning rate's size whatever the gradient; below, of noise. */
  private static final double TINY = 1e-6;

  @ParameterizedTest
  @ValueSource(strings = {"routing/diffusers", "routing/harmonica-reference"})
  void trajectories_equalTheReference(String name) {
    try (RoutingRun run = new RoutingRun(name)) {
      Table table = run.table();
      check(run, "full.x", walk -> Substitute.NONE, null);
      check(run, "soft.x", walk -> run.routing.soft(walk, table), null);
      check(run, "infer.x", walk -> run.routing.hard(walk, table), "infer.output");
    }
  }

  private static void check(
      RoutingRun run, String xs, Function<Walk, Substitute> routed, String outputs) {
    float[][] x = run.rows(xs);
    try (Walk walk = Walk.start(run.denoising, run.batch(x[0]), 1, 0)) {
      while (!walk.done()) {
        try (Scope scope = Scope.withoutGradients()) {
          float[] output =
              run.denoising.guided(run.denoising.begin(walk), routed.apply(walk)).floats();
          if (outputs != null) {
            assertClose(outputs, output, run.rows(outputs)[walk.step()], OUTPUT);
          }
          walk.advance(output);
          float[] expected = x[walk.step()];
          assertClose(xs, walk.x(), expected, trajectoryTolerance(expected));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"routing/diffusers", "routing/harmonica-reference"})
  void training_equalsTheReference(String name) {
    try (RoutingRun run = new RoutingRun(name)) {
      Table table = run.table();
      String used = run.config.path("lambda_used_for_training").asText();
      float[] lambda = floats(run.vectors, "lambda." + used);
      for (String train : List.of("train1.", "train2.")) {
        train(run, table, lambda, train);
      }
    }
  }

  /** Walks as {@link Sdt} does, with a look at every step. */
  private static void train(RoutingRun run, Table table, float[] lambda, String train) {
    float[][] x = run.rows(train + "x");
    float[] mse = floats(run.vectors, train + "mse");
    double beta = run.config.path("beta").asDouble();
    Updates updates = new Updates(table, lambda, beta, run.config.path("lr").asDouble());
    List<Updates.Gradient> found = new ArrayList<>();
    List<float[]> visited = new ArrayList<>();
    new Sdt(run.denoising, run.routing, false)
        .iterate(
            table,
            run.batch(x[0]),
            updates,
            (gradient, samples) -> {
              found.add(gradient);
              visited.add(samples.clone());
            });
    assertThat(found).hasSize(table.steps() - 1);
    for (int i = 0; i < found.size(); i++) {
      Updates.Gradient gradient = found.get(i);
      Updates.Loss loss = updates.losses().get(i);
      int s = i + 1;
      String where = train + "[" + s + "] ";
      assertThat(gradient.step()).isEqualTo(s);
      assertClose(where + "x", visited.get(i), x[s + 1], trajectoryTolerance(x[s + 1]));
      assertThat(gradient.mse()).as(where + "mse").isCloseTo(mse[s], within(MSE * mse[s]));
      assertRow(
          where + "grad_mse", gradient.logits(), run.rows(train + "grad_mse")[s], GRADIENT_OF_MSE);
      float regulariser = floats(run.vectors, train + "reg")[s];
      assertThat(loss.regulariser())
          .as(where + "reg")
          .isCloseTo(regulariser, within(1e-5 * regulariser));
      float total = floats(run.vectors, train + "total")[s];
      assertThat(loss.total()).as(where + "total").isCloseTo(total, within(MSE * total));
      assertRow(where + "grad", loss.gradient(), run.rows(train + "grad")[s], GRADIENT);
      if (train.equals("train1.")) {
        assertClose(
            where + "student", gradient.prediction(), run.rows("train1.student")[s], OUTPUT);
      }
    }
    float[][] after = run.rows(train + "logits_after");
    float[][] gradients = run.rows(train + "grad");
    for (int s = 0; s < after.length; s++) {
      for (int b = 0; b < after[s].length; b++) {
        if (s == 0 || Math.abs(gradients[s][b]) > TINY) {
          assertThat(table.logits()[s][b])
              .as(train + s + "," + b)
              .isCloseTo(after[s][b], within((float) LOGITS));
        }
      }
    }
  }

  private static void assertRow(String what, float[] actual, float[] expected, double tolerance) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(difference(actual, expected)).as(what).isLessThanOrEqualTo(tolerance * largest);
  }

  @ParameterizedTest
  @ValueSource(strings = {"routing/diffusers", "routing/harmonica-reference"})
  void lambda_equalsTheReference(String name) {
    try (RoutingRun run = new RoutingRun(name)) {
      Iepo iepo = new Iepo(run.denoising, run.routing);
      check(run, iepo, TrainOptions.Lambda.PAPER, "paper_soft_frobenius");
      check(run, iepo, TrainOptions.Lambda.PAPER_HARD, "paper_hard_frobenius");
      check(run, iepo, TrainOptions.Lambda.REFERENCE, "reference_cumulative_soft_mean");
    }
  }

  private static void check(RoutingRun run, Iepo iepo, TrainOptions.Lambda kind, String name) {
    float[] expected = floats(run.vectors, "lambda." + name);
    Batch batch = run.batch(floats(run.vectors, "x_init"));
    float[] actual = iepo.lambda(kind, run.table(), batch);
    int last = expected.length - 1;
    assertThat(actual[0]).isZero();
    for (int s = 1; s <= last; s++) {
      float tolerance = (float) (s == last ? LAST_LAMBDA : LAMBDA) * expected[s];
      assertThat(actual[s]).as(name + " at step " + s).isCloseTo(expected[s], within(tolerance));
    }
    assertThat(Arrays.copyOf(actual, 1)).containsExactly(expected[0]);
  }
}
