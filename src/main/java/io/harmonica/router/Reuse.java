package io.harmonica.router;

import java.util.Arrays;
import java.util.List;

/**
 * How a reused output, of a branch or a run, follows from those that were computed: a weighted sum
 * of up to three.
 */
public sealed interface Reuse {

  /** HarmoniCa's plain reuse: the last computed output again. */
  Reuse LAST = new Forecast(0);

  /** TaylorSeer's first order, from the last two computed outputs. */
  Reuse LINEAR = new Forecast(1);

  /** TaylorSeer's second order, from the last three computed outputs. */
  Reuse QUADRATIC = new Forecast(2);

  /**
   * What router files call it: {@code last}, {@code linear}, {@code quadratic}, {@code weights}.
   */
  String kind();

  /**
   * The weights of the last computed outputs, newest first; their number is the history that the
   * engine takes.
   *
   * @param column whose output: a branch's index, or behind all branches a run's
   * @param computed the steps that computed it so far, newest first, at least one
   */
  double[] weights(int step, int column, List<Integer> computed);

  /** Refuses a table that does not cover every step and column: branches, and runs behind them. */
  void requireSize(int steps, int columns);

  /**
   * TaylorSeer (arXiv 2503.06923): a Taylor expansion around the last computed output, its
   * derivatives as finite differences over denoising steps; with too few outputs a lower order.
   *
   * @param order 0, 1 or 2
   */
  record Forecast(int order) implements Reuse {
    public Forecast {
      if (order < 0 || order > 2) {
        throw new IllegalArgumentException("order is %d, expected 0, 1 or 2".formatted(order));
      }
    }

    @Override
    public String kind() {
      return List.of("last", "linear", "quadratic").get(order);
    }

    @Override
    public double[] weights(int step, int column, List<Integer> computed) {
      int usable = Math.min(order, computed.size() - 1);
      if (usable == 0) {
        return new double[] {1};
      }
      double x = step - computed.get(0); // steps ahead of the newest output
      double d12 = computed.get(0) - computed.get(1);
      double a = x / d12;
      if (usable == 1) {
        return new double[] {1 + a, -a};
      }
      // f1 + x*D + x*x/2*D2 with D = (f1-f2)/d12, D2 = (D - (f2-f3)/d23)/d12, by output
      double d23 = computed.get(1) - computed.get(2);
      double newest = x * x / 2 / (d12 * d12);
      double oldest = x * x / 2 / (d12 * d23);
      return new double[] {1 + a + newest, -a - newest - oldest, oldest};
    }

    @Override
    public void requireSize(int steps, int columns) {}
  }

  /**
   * Weights given one by one, as a trainer learns them.
   *
   * @param values {@code [steps][branches + runs][k]}, k at most 3, newest output first; trailing
   *     zeros do not count; ignored where nothing of it is read
   */
  record Weights(double[][][] values) implements Reuse {
    public Weights {
      values =
          Arrays.stream(values)
              .map(row -> Arrays.stream(row).map(double[]::clone).toArray(double[][]::new))
              .toArray(double[][][]::new);
    }

    @Override
    public String kind() {
      return "weights";
    }

    @Override
    public double[] weights(int step, int column, List<Integer> computed) {
      double[] all = values[step][column];
      int history = all.length;
      while (history > 0 && (float) all[history - 1] == 0) {
        history--;
      }
      String where = "weights[%d][%d]".formatted(step, column);
      if (history == 0) {
        throw new IllegalArgumentException(
            where + " has no weight other than 0, but the branch is reused at that step");
      }
      if (history == 1 && (float) all[0] != 1) {
        throw new IllegalArgumentException(
            "%s is %s alone, expected 1: a single output is reused as it is"
                .formatted(where, all[0]));
      }
      if (history > computed.size()) {
        throw new IllegalArgumentException(
            "%s has %d weights, but only %d outputs of the branch are computed before step %d"
                .formatted(where, history, computed.size(), step));
      }
      return Arrays.copyOf(all, history);
    }

    @Override
    public void requireSize(int steps, int columns) {
      if (values.length != steps) {
        throw new IllegalArgumentException(
            "weights has %d rows, expected steps = %d".formatted(values.length, steps));
      }
      for (int s = 0; s < steps; s++) {
        if (values[s].length != columns) {
          throw new IllegalArgumentException(
              "weights[%d] has %d entries, expected one for each of %d branches"
                  .formatted(s, values[s].length, columns));
        }
        for (int b = 0; b < columns; b++) {
          requireWeights("weights[%d][%d]".formatted(s, b), values[s][b]);
        }
      }
    }

    private static void requireWeights(String where, double[] weights) {
      if (weights.length > Route.MAX_HISTORY) {
        throw new IllegalArgumentException(
            "%s has %d weights, expected at most %d"
                .formatted(where, weights.length, Route.MAX_HISTORY));
      }
      for (double weight : weights) {
        if (!Float.isFinite((float) weight)) { // engines take fp32
          throw new IllegalArgumentException(
              "%s holds %s, expected finite fp32 numbers".formatted(where, weight));
        }
      }
    }
  }
}
