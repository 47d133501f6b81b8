package io.harmonica.train;

import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Passes;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.ArrayList;
import java.util.List;

/**
 * Step-wise denoising training (HarmoniCa, arXiv 2410.01723): a student with soft routing follows
 * the whole trajectory, and is held at every step to a teacher that computes everything from the
 * same samples. The loss of step s is {@code lambda_s MSE_s + beta sum_b r_sb}.
 *
 * <p>In the paper only row s of the table has a gradient at step s: what is stored is detached.
 *
 * @param credits whether a row has the later losses' gradient too, see {@link Credit}: where these
 *     are in one unit, the picture's error
 */
record Sdt(Denoising denoising, SoftRouting routing, boolean credits) implements Objective {

  /** What a step found, and the samples after it. */
  interface Observer {
    void step(Updates.Gradient found, float[] x);
  }

  @Override
  public void iterate(Table table, Batch batch, Updates updates) {
    iterate(table, batch, updates, (found, x) -> {});
  }

  /** One trajectory: a loss at every step but the first, and at the end an update of its row. */
  void iterate(Table table, Batch batch, Updates updates, Observer observer) {
    List<Updates.Gradient> all = new ArrayList<>();
    try (Walk walk = Walk.start(denoising, batch, routing.history(), 0);
        Credit credit = new Credit(walk, table.steps(), table.columns())) {
      denoising.advance(walk, first -> routing.soft(first, table));
      while (!walk.done()) {
        try (Scope scope = Scope.open()) {
          Updates.Gradient found =
              gradient(denoising, routing, table, walk, credits ? credit : Soft.Observer.NONE);
          credit.settle(updates.weight(walk.step()));
          walk.advance(found.prediction()); // the student's
          observer.step(found, walk.x());
          all.add(found);
        }
      }
      all.forEach(found -> updates.step(found, credit.of(found.step())));
    }
  }

  /** Student against teacher at a walk's step: the MSE and its gradient by the row. */
  static Updates.Gradient gradient(
      Denoising denoising, SoftRouting routing, Table table, Walk walk) {
    return gradient(denoising, routing, table, walk, Soft.Observer.NONE);
  }

  private static Updates.Gradient gradient(
      Denoising denoising, SoftRouting routing, Table table, Walk walk, Soft.Observer observer) {
    TorchOps ops = denoising.ops();
    int step = walk.step();
    Passes.Begun begun = denoising.begin(walk); // the same for both
    try (Value teacher = teacher(denoising, begun)) { // (B, O, H, W)
      Value logits = ops.leaf(table.logits()[step], table.columns());
      Value corrections =
          table.learned()
              ? ops.leaf(table.corrections()[step], (long) table.weights() * table.columns())
              : null;
      Value student =
          denoising.guided(begun, routing.soft(walk, table, logits, corrections, observer));
      Value mse = ops.mean(ops.square(ops.sub(teacher, student))); // over all rows and channels
      mse.backward();
      return new Updates.Gradient(
          step,
          mse.item(),
          logits.gradient(),
          corrections == null ? null : corrections.gradient(),
          student.floats());
    }
  }

  /** Its pass is over before the student's begins: memory holds one of them at a time. */
  private static Value teacher(Denoising denoising, Passes.Begun begun) {
    try (Scope scope = Scope.withoutGradients()) {
      return scope.keep(denoising.guided(begun, Substitute.NONE));
    }
  }
}
