package io.harmonica.train;

import io.harmonica.router.Reuse;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.List;
import java.util.function.Supplier;

/**
 * HarmoniCa's soft routing of one step (arXiv 2410.01723): a column's output is {@code o = r f(x) +
 * (1 - r) sum_j w_j history_j}, with {@code r} the sigmoid of its logit. What is stored is {@code
 * o} itself, detached, where r exceeds the threshold.
 */
final class Soft implements Substitute {
  private final TorchOps ops;
  private final Walk walk;
  private final Table table;
  private final Reuse.Forecast forecast;
  private final double threshold;
  private final Observer observer;
  private final Value scores; // (columns)
  private final Value corrections; // (weights columns), or null where reuse is not learned

  /** Who is told what a step reads of earlier ones, and what its computing changes. */
  interface Observer {
    /** Nobody. */
    Observer NONE =
        new Observer() {
          @Override
          public Value reads(int column, int stored, Value output) {
            return output;
          }

          @Override
          public void changes(int column, Value difference) {}
        };

    /**
     * A stored output is read, where inference reads it too: by a step that does not store.
     *
     * @param stored the step that stored it
     * @return it, or what stands for it
     */
    Value reads(int column, int stored, Value output);

    /** A computed output less what would have been reused. */
    void changes(int column, Value difference);
  }

  /**
   * Routes a walk's step.
   *
   * @param logits of the step, (columns)
   * @param corrections of the step, (weights columns), or null
   */
  Soft(
      TorchOps ops,
      Walk walk,
      Table table,
      Reuse.Forecast forecast,
      double threshold,
      Value logits,
      Value corrections,
      Observer observer) {
    this.ops = ops;
    this.walk = walk;
    this.table = table;
    this.forecast = forecast;
    this.threshold = threshold;
    this.observer = observer;
    this.scores = ops.toPrecision(ops.sigmoid(logits));
    this.corrections = corrections == null ? null : ops.toPrecision(corrections);
  }

  @Override
  public Value output(int column, Supplier<Value> computed) {
    Value output = computed.get(); // (B, N, D)
    int step = walk.step();
    boolean stores = table.score(step, column) > threshold;
    if (step > 0) {
      Value reused = reused(column, stores ? Observer.NONE : observer); // (B, N, D)
      Value r = ops.slice(scores, 0, column, column + 1); // (1)
      Value difference = ops.sub(output, reused);
      observer.changes(column, difference);
      output = ops.add(reused, ops.mul(r, difference));
    }
    if (stores) {
      walk.cache().store(column, step, output);
    }
    return output;
  }

  private Value reused(int column, Observer reader) {
    List<Integer> stored = walk.cache().steps(column);
    double[] weights = forecast.weights(walk.step(), column, stored);
    Value sum = null;
    for (int k = 0; k < weights.length; k++) {
      Value older = reader.reads(column, stored.get(k), walk.cache().output(column, k));
      if (weights.length > 1) {
        Value weight = Substitute.scalar(ops, weights[k]);
        long place = (long) table.weights() * column + k;
        older =
            ops.mul(
                older,
                corrections != null
                    ? ops.add(weight, ops.slice(corrections, 0, place, place + 1))
                    : weight);
      }
      sum = sum == null ? older : ops.add(sum, older);
    }
    return sum;
  }
}
