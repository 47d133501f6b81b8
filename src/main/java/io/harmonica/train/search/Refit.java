package io.harmonica.train.search;

import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Routes;
import io.harmonica.train.trajectory.Walk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * No paper: the weights of reused outputs by least squares, {@code min ||f(x) - sum_j w_j
 * history_j||^2}, along the trajectory that a finished table routes, so that each fit sees what
 * those before it lead to.
 */
public final class Refit implements Routes.Weights {
  /** Holds weights to what they were where two histories are nearly the same; a share of them. */
  private static final double RIDGE = 1e-4;

  private final Routes.Weights before;
  private final double share;
  private final Map<Measure.Entry, Fit> fits = new HashMap<>();

  /** The normal equations of an entry's two weights, over all pictures so far. */
  private static final class Fit {
    final List<Integer> stored; // it holds for the outputs of these steps only
    final double[] products = new double[5]; // 1.1, 1.2, 2.2, 1.output, 2.output
    double[] weights;

    Fit(List<Integer> stored) {
      this.stored = stored;
    }
  }

  private Refit(Routes.Weights before, double share) {
    this.before = before;
    this.share = share;
  }

  /**
   * Fits the weights of a table.
   *
   * @param batches one after the other; each sees what those before it lead to
   * @param history how many outputs of a branch are kept
   * @param share of the way from the weights before to the fitted ones, in (0, 1]
   */
  public static Refit of(
      Denoising denoising,
      List<Batch> batches,
      int history,
      Measure.Routing routing,
      double share) {
    Refit refit = new Refit(routing.weights(), share);
    for (Batch batch : batches) {
      try (Walk walk = Walk.start(denoising, batch, history, 0)) {
        denoising.finish(walk, step -> refit.route(denoising.ops(), step, routing));
      }
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
    Fit fit = fits.computeIfAbsent(new Measure.Entry(walk.step(), branch), at -> new Fit(stored));
    fit.products[0] += dot(ops, first, first);
    fit.products[1] += dot(ops, first, second);
    fit.products[2] += dot(ops, second, second);
    fit.products[3] += dot(ops, first, output);
    fit.products[4] += dot(ops, second, output);
    fit.weights = solved(fit.products, before.of(walk.step(), branch, stored));
  }

  /** The old weights, changed for what they leave over. */
  private double[] solved(double[] products, double[] old) {
    double a = products[0];
    double b = products[1];
    double c = products[2];
    double left1 = products[3] - old[0] * a - old[1] * b;
    double left2 = products[4] - old[0] * b - old[1] * c;
    double ridge = RIDGE * (a + c) / 2;
    double determinant = (a + ridge) * (c + ridge) - b * b;
    double change1 = ((c + ridge) * left1 - b * left2) / determinant;
    double change2 = ((a + ridge) * left2 - b * left1) / determinant;
    double[] weights = {old[0] + share * change1, old[1] + share * change2};
    boolean usable =
        Double.isFinite(weights[0]) && Double.isFinite(weights[1]) && (float) weights[1] != 0;
    return usable ? weights : old;
  }

  private static double dot(TorchOps ops, Value a, Value b) {
    return ops.sum(ops.mul(ops.toFloat(a), ops.toFloat(b))).item();
  }

  @Override
  public double[] of(int step, int branch, List<Integer> stored) {
    Fit fit = fits.get(new Measure.Entry(step, branch));
    return fit != null && fit.stored.equals(stored)
        ? fit.weights.clone()
        : before.of(step, branch, stored);
  }
}
