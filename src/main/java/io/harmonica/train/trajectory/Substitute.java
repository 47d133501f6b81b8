package io.harmonica.train.trajectory;

import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.util.List;
import java.util.function.Supplier;

/**
 * What is taken for a column's output at one step of a walk, (B, N, D): the computed one, a stored
 * one, a mixture. Whoever computes a run is asked for the columns in it.
 */
@FunctionalInterface
public interface Substitute {
  Value output(int column, Supplier<Value> computed);

  /** Nothing: everything is computed. */
  Substitute NONE = (column, computed) -> computed.get();

  /** The weights of a column's stored outputs, newest first, where they are reused at a step. */
  interface Weights {
    double[] of(int step, int column, List<Integer> stored);
  }

  /** Computes everything, and stores it: a step with caching disabled. */
  static Substitute disabled(Walk walk) {
    return (column, computed) -> store(walk, column, computed.get());
  }

  /**
   * As inference does: a column is computed and stored, or it is the weighted sum of stored ones. A
   * run is stored where all columns in it are computed.
   *
   * @param computes by column
   */
  static Substitute hard(TorchOps ops, Walk walk, boolean[] computes, Weights weights) {
    return (column, computed) ->
        !computes[column]
            ? reused(ops, walk, column, weights)
            : walk.makes(column, computes) ? store(walk, column, computed.get()) : computed.get();
  }

  private static Value store(Walk walk, int column, Value output) {
    walk.cache().store(column, walk.step(), output);
    return output;
  }

  /** {@code sum_j w_j * history_j}: (B, N, D). */
  static Value reused(TorchOps ops, Walk walk, int column, Weights weights) {
    double[] w = weights.of(walk.step(), column, walk.cache().steps(column));
    Value sum = walk.cache().output(column, 0);
    if (w.length == 1) { // a single output is reused as it is
      return sum;
    }
    sum = ops.mul(sum, scalar(ops, w[0]));
    for (int k = 1; k < w.length; k++) {
      sum = ops.add(sum, ops.mul(walk.cache().output(column, k), scalar(ops, w[k])));
    }
    return sum;
  }

  static Value scalar(TorchOps ops, double value) {
    return ops.toPrecision(ops.input(new float[] {(float) value}, 1));
  }
}
