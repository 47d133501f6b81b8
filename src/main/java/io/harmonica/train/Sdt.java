package io.harmonica.train;

import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Passes;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;

/**
 * Step-wise denoising training (HarmoniCa, arXiv 2410.01723): a student with soft routing follows
 * the whole trajectory, and is held at every step to a teacher that computes everything from the
 * same samples. The loss of step s is {@code lambda_s MSE_s + beta sum_b r_sb}.
 *
 * <p>Only row s of the table has a gradient at step s: what is stored is detached.
 */
record Sdt(Denoising denoising, SoftRouting routing) implements Objective {

  /** What a step found, and the samples after it. */
  interface Observer {
    void step(Updates.Gradient found, float[] x);
  }

  @Override
  public void iterate(Table table, Batch batch, Updates updates) {
    iterate(table, batch, updates, (found, x) -> {});
  }

  /** One trajectory, a loss and an update at every step but the first. */
  void iterate(Table table, Batch batch, Updates updates, Observer observer) {
    try (Walk walk = Walk.start(denoising, batch, routing.history(), 0)) {
      denoising.advance(walk, first -> routing.soft(first, table));
      while (!walk.done()) {
        try (Scope scope = Scope.open()) {
          Updates.Gradient found = gradient(denoising, routing, table, walk);
          updates.step(found);
          walk.advance(found.prediction()); // the student's, from before the update
          observer.step(found, walk.x());
        }
      }
    }
  }

  /** Student against teacher at a walk's step: the MSE and its gradient by the row. */
  static Updates.Gradient gradient(
      Denoising denoising, SoftRouting routing, Table table, Walk walk) {
    TorchOps ops = denoising.ops();
    int step = walk.step();
    Passes.Begun begun = denoising.begin(walk); // the same for both
    try (Value teacher = teacher(denoising, begun)) { // (B, O, H, W)
      Value logits = ops.leaf(table.logits()[step], table.columns());
      Value corrections =
          table.learned()
              ? ops.leaf(table.corrections()[step], (long) table.weights() * table.columns())
              : null;
      Value student = denoising.guided(begun, routing.soft(walk, table, logits, corrections));
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
