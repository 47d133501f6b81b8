package io.harmonica.train.search;

import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * No paper: the weights of reused outputs by least squares, {@code min ||f(x) - sum_j w_j
 * history_j||^2}, along the trajectory that a finished table routes, so that each fit sees what
 * those before it lead to.
 */
public final class Refit implements Substitute.Weights {
  /** Holds weights to what they were where histories are nearly the same; a share of them. */
  private static final double RIDGE = 1e-4;

  private final Substitute.Weights before;
  private final double share;
  private final Map<Measure.Entry, Fit> fits = new HashMap<>();

  /** The normal equations of an entry's weights, over all pictures so far. */
  private static final class Fit {
    final List<Integer> stored; // it holds for the outputs of these steps only
    final double[][] products; // of two stored outputs
    final double[] ofOutput; // of a stored and the computed one
    double[] weights;

    Fit(List<Integer> stored, int size) {
      this.stored = stored;
      this.products = new double[size][size];
      this.ofOutput = new double[size];
    }
  }

  private Refit(Substitute.Weights before, double share) {
    this.before = before;
    this.share = share;
  }

  /**
   * Fits the weights of a table.
   *
   * @param batches one after the other; each sees what those before it lead to
   * @param history how many outputs of a column are kept
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

  private Substitute route(TorchOps ops, Walk walk, Measure.Routing routing) {
    boolean[] computes = routing.computes()[walk.step()];
    Substitute hard = Substitute.hard(ops, walk, computes, this);
    boolean[] fresh = {false}; // in a run that is reused, but fitted to what it would compute
    return (column, computed) -> {
      if (fresh[0]) {
        return computed.get();
      }
      List<Integer> stored = walk.cache().steps(column);
      if (!computes[column] && before.of(walk.step(), column, stored).length > 1) {
        fresh[0] = true;
        Value output = computed.get();
        fresh[0] = false;
        fit(ops, walk, column, stored, output);
      }
      return hard.output(column, computed);
    };
  }

  private void fit(TorchOps ops, Walk walk, int column, List<Integer> stored, Value output) {
    double[] old = before.of(walk.step(), column, stored);
    Fit fit =
        fits.computeIfAbsent(
            new Measure.Entry(walk.step(), column), at -> new Fit(stored, old.length));
    for (int j = 0; j < old.length; j++) {
      Value one = walk.cache().output(column, j);
      for (int k = 0; k <= j; k++) {
        fit.products[j][k] += dot(ops, one, walk.cache().output(column, k));
        fit.products[k][j] = fit.products[j][k];
      }
      fit.ofOutput[j] += dot(ops, one, output);
    }
    fit.weights = solved(fit, old);
  }

  /** The old weights, changed for what they leave over. */
  private double[] solved(Fit fit, double[] old) {
    int size = old.length;
    double[][] equations = new double[size][size + 1];
    double ridge = 0;
    for (int j = 0; j < size; j++) {
      ridge += RIDGE * fit.products[j][j] / size;
    }
    for (int j = 0; j < size; j++) {
      equations[j][size] = fit.ofOutput[j];
      for (int k = 0; k < size; k++) {
        equations[j][k] = fit.products[j][k] + (j == k ? ridge : 0);
        equations[j][size] -= fit.products[j][k] * old[k];
      }
    }
    double[] change = LinearEquations.solve(equations);
    double[] weights = new double[size];
    boolean usable = true;
    for (int j = 0; j < size; j++) {
      weights[j] = old[j] + share * change[j];
      usable &= Double.isFinite(weights[j]);
    }
    return usable && (float) weights[size - 1] != 0 ? weights : old;
  }

  private static double dot(TorchOps ops, Value a, Value b) {
    return ops.sum(ops.mul(ops.toFloat(a), ops.toFloat(b))).item();
  }

  @Override
  public double[] of(int step, int column, List<Integer> stored) {
    Fit fit = fits.get(new Measure.Entry(step, column));
    return fit != null && fit.stored.equals(stored)
        ? fit.weights.clone()
        : before.of(step, column, stored);
  }
}
