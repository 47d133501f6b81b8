package io.harmonica.train.search;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Flops;
import java.util.Arrays;
import java.util.Locale;

/**
 * What a router's table may cost: computing a column at a step has a weight, its FLOPs for a
 * theoretical speedup or its branches for a CUR, and the computed entries of all steps share a
 * budget.
 *
 * @param kind {@code speedup} or {@code cur}
 * @param value what was asked for
 * @param weights per column
 * @param budget most that the computed entries of all steps may weigh together, step 0 included
 */
public record Target(String kind, double value, double[] weights, double budget) {
  private static final double ROUNDING = 1e-9;

  /**
   * The FLOPs that a table has already.
   *
   * @param flops by column
   */
  public static Target asItIs(boolean[][] computes, Flops flops) {
    double[] weights = flops.branches().stream().mapToDouble(Long::doubleValue).toArray();
    return new Target("speedup", 1, weights, new Target("", 1, weights, 0).cost(computes));
  }

  /**
   * FLOPs that reach a theoretical speedup.
   *
   * @param flops by column
   * @param trainable per step whether it may reuse anything
   */
  public static Target speedup(double value, Flops flops, boolean[] trainable) {
    double[] weights = flops.branches().stream().mapToDouble(Long::doubleValue).toArray();
    double fixed = (double) trainable.length * flops.fixed();
    double all = (double) trainable.length * flops.full();
    double nearest = all / (fixed + untrainable(trainable) * Arrays.stream(weights).sum());
    var target = new Target("speedup", value, weights, all / value - fixed);
    return target.requireReachable(trainable, nearest);
  }

  /**
   * Branch executions that reach a cache utilisation ratio.
   *
   * @param branches how many a column has
   */
  public static Target cur(double value, int[] branches, boolean[] trainable) {
    double[] weights = Arrays.stream(branches).asDoubleStream().toArray();
    double nearest = 1 - (double) untrainable(trainable) / trainable.length;
    double budget = (1 - value) * trainable.length * Arrays.stream(weights).sum();
    return new Target("cur", value, weights, budget).requireReachable(trainable, nearest);
  }

  private static int untrainable(boolean[] trainable) {
    int count = 0;
    for (boolean one : trainable) {
      count += one ? 0 : 1;
    }
    return count;
  }

  private Target requireReachable(boolean[] trainable, double nearest) {
    double least = untrainable(trainable) * Arrays.stream(weights).sum();
    if (budget >= least * (1 - ROUNDING)) {
      return this;
    }
    throw new HarmonicaException(
        String.format(
            Locale.ROOT,
            "`target%s` %s cannot be reached, the nearest is %.3f: %d of %d steps compute everything",
            kind.equals("cur") ? "Cur" : "Speedup",
            value,
            Math.floor(nearest * 1000) / 1000,
            untrainable(trainable),
            trainable.length));
  }

  /** What a table weighs. */
  public double cost(boolean[][] computes) {
    double cost = 0;
    for (boolean[] row : computes) {
      for (int b = 0; b < row.length; b++) {
        cost += row[b] ? weights[b] : 0;
      }
    }
    return cost;
  }

  /** Whether a table of this cost keeps the budget. */
  public boolean allows(double cost) {
    return cost <= budget * (1 + ROUNDING);
  }

  /** How far a table lies above the budget, as a share of what all its entries weigh. */
  public double excess(boolean[][] computes) {
    return (cost(computes) - budget) / (computes.length * Arrays.stream(weights).sum());
  }
}
