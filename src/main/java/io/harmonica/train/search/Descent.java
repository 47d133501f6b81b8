package io.harmonica.train.search;

import io.harmonica.train.search.Measure.Entry;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Substitute;
import java.util.ArrayList;
import java.util.List;

/**
 * Greedy search for a better table: again and again the one move, within the budget, that lowers
 * the predicted error of the pictures most.
 *
 * <p>A move flips one entry (compute becomes reuse, or the other way round), or two that pay for
 * each other: for example {@code block03.mlp} is no longer computed at step 7, but {@code
 * block05.attention} is at step 12. {@link Responses} predict the error of any table without
 * drawing its pictures.
 *
 * <p>What is lowered is the sum of the pictures' squared differences, each divided by what it is at
 * the start. That sum lies above that of the logarithms and touches it there, so lowering it lowers
 * the geometric mean.
 */
final class Descent {
  /** A move that gains less, as a share of the sum, is not worth it. */
  private static final double LEAST_GAIN = 1e-4;

  private final Responses responses;
  private final double[] scales; // by sample
  private final boolean[][] computes;
  private final Substitute.Weights reuse;
  private final int history;
  private final Target target;
  private final List<Flip> singles = new ArrayList<>();
  private final List<Flip> doubles = new ArrayList<>(); // two entries of one column
  private final double[][] effects; // [column][sample]: what its outputs do
  private final double[] sum; // [sample]: what is left of the differences
  private final double[][] overlaps; // of the singles' changes
  private double cost;

  /** Entries of one column that change sides together. */
  private static final class Flip {
    final int column;
    final List<Entry> entries;
    double cost; // what it adds to the table's
    double[] change; // [sample]: what it adds to the differences
    double squares; // what it adds to the sum of squares, alone

    Flip(int column, List<Entry> entries) {
      this.column = column;
      this.entries = entries;
    }
  }

  /**
   * Starts at a table.
   *
   * @param history how many outputs of a column are kept
   */
  Descent(Responses responses, Routing start, boolean[] trainable, int history, Target target) {
    this.responses = responses;
    this.scales = responses.scales();
    this.computes = Exchange.copy(start.computes());
    this.reuse = start.weights();
    this.history = history;
    this.target = target;
    cost = target.cost(computes);
    int columns = computes[0].length;
    for (int b = 0; b < columns; b++) {
      for (int s = 0; s < computes.length; s++) {
        if (trainable[s]) {
          Entry entry = new Entry(s, b);
          singles.add(new Flip(b, List.of(entry)));
          for (int before = 0; before < s; before++) {
            if (trainable[before]) {
              doubles.add(new Flip(b, List.of(new Entry(before, b), entry)));
            }
          }
        }
      }
    }
    effects = new double[columns][];
    sum = responses.differences();
    overlaps = new double[singles.size()][singles.size()];
    for (int b = 0; b < columns; b++) {
      effects[b] = effect(b);
      refresh(b);
    }
    for (int b = 0; b < columns; b++) {
      relate(b);
    }
  }

  /** The moves to where no other one helps. */
  List<List<Entry>> moves() {
    List<List<Entry>> moves = new ArrayList<>();
    rateAll();
    for (List<Flip> move = best(); !move.isEmpty(); move = best()) {
      List<Entry> entries = new ArrayList<>();
      for (Flip flip : move) {
        cost += flip.cost;
        entries.addAll(flip.entries);
        flip(flip.entries);
        add(sum, effects[flip.column], -1);
        effects[flip.column] = effect(flip.column);
        add(sum, effects[flip.column], 1);
      }
      move.forEach(flip -> refresh(flip.column));
      move.forEach(flip -> relate(flip.column));
      rateAll();
      moves.add(entries);
    }
    return moves;
  }

  /** None where nothing gains enough. */
  private List<Flip> best() {
    List<Flip> best = List.of();
    double gain = -LEAST_GAIN * dot(sum, sum);
    for (Flip flip : doubles) {
      if (flip.squares < gain && allows(flip.cost)) {
        gain = flip.squares;
        best = List.of(flip);
      }
    }
    for (int i = 0; i < singles.size(); i++) {
      Flip one = singles.get(i);
      if (one.squares < gain && allows(one.cost)) {
        gain = one.squares;
        best = List.of(one);
      }
      for (int j = 0; j < i; j++) {
        Flip other = singles.get(j);
        double both = one.squares + other.squares + 2 * overlaps[i][j];
        if (both < gain && one.column != other.column && allows(one.cost + other.cost)) {
          gain = both;
          best = List.of(one, other);
        }
      }
    }
    return best;
  }

  /** Whether the budget is kept; a table above it may at least not grow. */
  private boolean allows(double more) {
    return more <= 0 || target.allows(cost + more);
  }

  /** What a column's flips would change, after its column has changed. */
  private void refresh(int column) {
    for (List<Flip> flips : List.of(singles, doubles)) {
      for (Flip flip : flips) {
        if (flip.column == column) {
          flip(flip.entries);
          flip.change = effect(column);
          flip(flip.entries);
          add(flip.change, effects[column], -1);
          flip.cost = 0;
          for (Entry entry : flip.entries) {
            double price = target.weights()[column];
            flip.cost += computes[entry.step()][column] ? -price : price;
          }
        }
      }
    }
  }

  /** The overlaps of a column's single flips with all. */
  private void relate(int column) {
    for (int i = 0; i < singles.size(); i++) {
      if (singles.get(i).column == column) {
        for (int j = 0; j < singles.size(); j++) {
          overlaps[i][j] = dot(singles.get(i).change, singles.get(j).change);
          overlaps[j][i] = overlaps[i][j];
        }
      }
    }
  }

  private void rateAll() {
    for (List<Flip> flips : List.of(singles, doubles)) {
      for (Flip flip : flips) {
        flip.squares = 2 * dot(sum, flip.change) + dot(flip.change, flip.change);
      }
    }
  }

  private void flip(List<Entry> entries) {
    entries.forEach(entry -> computes[entry.step()][entry.column()] ^= true);
  }

  private double[] effect(int column) {
    double[] effect = new double[responses.samples()];
    List<Integer> stored = new ArrayList<>(); // newest first
    for (int s = 0; s < computes.length; s++) {
      if (computes[s][column]) {
        responses.add(effect, s, column, s, 1);
        stored.add(0, s);
        if (stored.size() > history) {
          stored.remove(history);
        }
      } else {
        double[] weights = reuse.of(s, column, List.copyOf(stored));
        for (int j = 0; j < weights.length; j++) {
          responses.add(effect, s, column, stored.get(j), weights[j]);
        }
      }
    }
    return effect;
  }

  private static void add(double[] to, double[] other, int sign) {
    for (int q = 0; q < to.length; q++) {
      to[q] += sign * other[q];
    }
  }

  private double dot(double[] a, double[] b) {
    double sum = 0;
    for (int q = 0; q < a.length; q++) {
      sum += scales[q] * a[q] * b[q];
    }
    return sum;
  }
}
