package io.harmonica.train;

import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * No paper: the weights of reused outputs by least squares, {@code min ||f(x) - sum_j w_j
 * history_j||^2}, along the trajectory that a finished table routes, so that each fit sees what
 * those before it lead to.
 */
final class Refit implements Routes.Weights {
  /** Holds weights to what they were where two histories are nearly the same; a share of them. */
  private static final double RIDGE = 1e-4;

  private final Routes.Weights before;
  private final double share;
  private final Map<Measure.Entry, Fit> fits = new HashMap<>();

  /** Weights that hold for the outputs of these steps only. */
  private record Fit(List<Integer> stored, double[] weights) {}

  private Refit(Routes.Weights before, double share) {
    this.before = before;
    this.share = share;
  }

  /**
   * Fits the weights of a table.
   *
   * @param history how many outputs of a branch are kept
   * @param share of the way from the weights before to the fitted ones, in (0, 1]
   */
  static Refit of(
      Denoising denoising, Batch batch, int history, Measure.Routing routing, double share) {
    Refit refit = new Refit(routing.weights(), share);
    try (Walk walk = Walk.start(denoising, batch, history, 0)) {
      denoising.finish(walk, step -> refit.route(denoising.ops(), step, routing));
    }
    return refit;
  }

  private Denoising.Route route(TorchOps ops, Walk walk, Measure.Routing routing) {
    boolean[] computes = routing.computes()[walk.step()];
    Denoising.Route hard = Routes.hard(ops, walk, computes, this);
    return (branch, computed) -> {
      List<Integer> stored = walk.cache().steps(branch);
      if (!computes[branch] && before.of(walk.step(), branch, stored).length == 2) {
        fit(ops, walk, branch, stored, computed.get());
      }
      return hard.output(branch, computed);
    };
  }

  private void fit(TorchOps ops, Walk walk, int branch, List<Integer> stored, Value output) {
    Value first = walk.cache().output(branch, 0);
    Value second = walk.cache().output(branch, 1);
    double[] old = before.of(walk.step(), branch, stored);
    double a = dot(ops, first, first);
    double b = dot(ops, first, second);
    double c = dot(ops, second, second);
    // Normal equations of the change against the old weights, whose error is what is left over.
    double left1 = dot(ops, output, first) - old[0] * a - old[1] * b;
    double left2 = dot(ops, output, second) - old[0] * b - old[1] * c;
    double ridge = RIDGE * (a + c) / 2;
    double determinant = (a + ridge) * (c + ridge) - b * b;
    double change1 = ((c + ridge) * left1 - b * left2) / determinant;
    double change2 = ((a + ridge) * left2 - b * left1) / determinant;
    double[] weights = {old[0] + share * change1, old[1] + share * change2};
    if (Double.isFinite(weights[0]) && Double.isFinite(weights[1]) && (float) weights[1] != 0) {
      fits.put(new Measure.Entry(walk.step(), branch), new Fit(stored, weights));
    }
  }

  private static double dot(TorchOps ops, Value a, Value b) {
    return ops.sum(ops.mul(ops.toFloat(a), ops.toFloat(b))).item();
  }

  @Override
  public double[] of(int step, int branch, List<Integer> stored) {
    Fit fit = fits.get(new Measure.Entry(step, branch));
    return fit != null && fit.stored().equals(stored)
        ? fit.weights().clone()
        : before.of(step, branch, stored);
  }
}
