package io.harmonica.train;

import io.harmonica.train.Measure.Entry;
import java.util.ArrayList;
import java.util.List;

/**
 * Moves that lower {@code ||e + sum of the flipped entries' effects||^2}, the greatest gain first:
 * single flips within the budget, and swaps of a computed entry with a reused one.
 *
 * <p>Each picture's square is divided by what it is now. The sum of these ratios lies above that of
 * the logarithms and touches it here, so lowering it lowers the geometric mean.
 */
final class Proposal {
  private final List<Entry> entries;
  private final Target target;
  private final double[] weights; // by entry: what flipping adds to the cost
  private final double[][] products; // of the effects
  private final double[] slopes; // of each effect with the difference that is left
  private final boolean[] used;
  private double cost;

  Proposal(boolean[][] computes, List<Entry> entries, Target target) {
    int n = entries.size();
    this.entries = entries;
    this.target = target;
    cost = target.cost(computes);
    weights = new double[n];
    products = new double[n][n];
    slopes = new double[n];
    used = new boolean[n];
    for (int i = 0; i < n; i++) {
      Entry entry = entries.get(i);
      double weight = target.weights()[entry.branch()];
      weights[i] = computes[entry.step()][entry.branch()] ? -weight : weight;
    }
  }

  /**
   * Takes in a batch.
   *
   * @param difference of its pictures to the uncached ones
   * @param effects on its pictures, by entry
   */
  void add(int pictures, float[] difference, float[][] effects) {
    double[] squares = Measure.meanSquares(difference, pictures);
    int size = difference.length / pictures;
    for (int p = 0; p < pictures; p++) {
      double share = 1 / (squares[p] * size);
      for (int i = 0; i < effects.length; i++) {
        slopes[i] += share * dot(effects[i], difference, p * size, size);
        for (int j = 0; j <= i; j++) {
          products[i][j] += share * dot(effects[i], effects[j], p * size, size);
          products[j][i] = products[i][j];
        }
      }
    }
  }

  private static double dot(float[] a, float[] b, int from, int length) {
    double sum = 0;
    for (int i = from; i < from + length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** Moves of one or two entries, none of which comes twice. */
  List<List<Entry>> moves() {
    List<List<Entry>> moves = new ArrayList<>();
    for (int[] move = best(); move != null; move = best()) {
      List<Entry> flipped = new ArrayList<>();
      for (int i : move) {
        used[i] = true;
        cost += weights[i];
        flipped.add(entries.get(i));
        for (int j = 0; j < slopes.length; j++) {
          slopes[j] += products[i][j];
        }
      }
      moves.add(flipped);
    }
    return moves;
  }

  private int[] best() {
    int[] best = null;
    double gain = 0;
    for (int i = 0; i < used.length; i++) {
      if (used[i]) {
        continue;
      }
      double alone = 2 * slopes[i] + products[i][i];
      if (alone < gain && allows(weights[i])) {
        gain = alone;
        best = new int[] {i};
      }
      for (int j = 0; j < i; j++) {
        double both = alone + 2 * slopes[j] + products[j][j] + 2 * products[i][j];
        if (both < gain && !used[j] && allows(weights[i] + weights[j])) {
          gain = both;
          best = new int[] {i, j};
        }
      }
    }
    return best;
  }

  /** Whether the budget is kept; a table above it may at least not grow. */
  private boolean allows(double more) {
    return more <= 0 || target.allows(cost + more);
  }
}
