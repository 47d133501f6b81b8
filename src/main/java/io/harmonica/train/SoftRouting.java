package io.harmonica.train;

import io.harmonica.router.Reuse;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;

/**
 * How training mixes computed and reused outputs.
 *
 * @param forecast how a reused output follows from stored ones
 * @param threshold above which a score stores the output
 */
record SoftRouting(TorchOps ops, Reuse.Forecast forecast, double threshold) {

  /** How many outputs of a column are kept. */
  int history() {
    return forecast.order() + 1;
  }

  /** Routes a walk's step with the table's numbers as constants. */
  Soft soft(Walk walk, Table table) {
    int step = walk.step();
    Value logits = ops.input(table.logits()[step], table.columns());
    Value corrections = table.learned() ? corrections(table, step) : null;
    return soft(walk, table, logits, corrections, Soft.Observer.NONE);
  }

  private Value corrections(Table table, int step) {
    float[] row = table.corrections()[step];
    return ops.input(row, row.length);
  }

  /** Routes a walk's step with leaves that want a gradient. */
  Soft soft(Walk walk, Table table, Value logits, Value corrections, Soft.Observer observer) {
    return new Soft(ops, walk, table, forecast, threshold, logits, corrections, observer);
  }

  /** Routes a walk's step as inference would. */
  Substitute hard(Walk walk, Table table) {
    boolean[] computes = table.computes(threshold)[walk.step()];
    return Substitute.hard(
        ops,
        walk,
        computes,
        (step, column, stored) -> table.weights(forecast, step, column, stored));
  }
}
