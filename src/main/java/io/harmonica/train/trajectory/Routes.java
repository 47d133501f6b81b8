package io.harmonica.train.trajectory;

import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.util.List;

/** What stands in for a branch's output at one step of a walk. */
public final class Routes {

  /** The weights of a branch's stored outputs, newest first, where they are reused at a step. */
  public interface Weights {
    double[] of(int step, int branch, List<Integer> stored);
  }

  private Routes() {}

  /** Computes everything, and stores it: a step with caching disabled. */
  public static Denoising.Route disabled(Walk walk) {
    return (branch, computed) -> store(walk, branch, computed.get());
  }

  /**
   * As inference does: a branch is computed and stored, or it is the weighted sum of stored ones.
   */
  public static Denoising.Route hard(TorchOps ops, Walk walk, boolean[] computes, Weights weights) {
    return (branch, computed) ->
        computes[branch] ? store(walk, branch, computed.get()) : reused(ops, walk, branch, weights);
  }

  private static Value store(Walk walk, int branch, Value output) {
    walk.cache().store(branch, walk.step(), output);
    return output;
  }

  /** {@code sum_j w_j * history_j}: (B, N, D). */
  static Value reused(TorchOps ops, Walk walk, int branch, Weights weights) {
    double[] w = weights.of(walk.step(), branch, walk.cache().steps(branch));
    Value sum = walk.cache().output(branch, 0);
    if (w.length == 1) { // a single output is reused as it is
      return sum;
    }
    sum = ops.mul(sum, scalar(ops, w[0]));
    for (int k = 1; k < w.length; k++) {
      sum = ops.add(sum, ops.mul(walk.cache().output(branch, k), scalar(ops, w[k])));
    }
    return sum;
  }

  public static Value scalar(TorchOps ops, double value) {
    return ops.toPrecision(ops.input(new float[] {(float) value}, 1));
  }
}
