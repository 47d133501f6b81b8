package io.harmonica.train;

import io.harmonica.train.search.Target;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Turns trained scores into a table that meets its target: the entries with the highest scores
 * compute, as many as the budget pays for.
 *
 * <p>This moves the threshold to where the budget lies, so only the borderline changes sides.
 * Logits end at their bounds, where scores are equal; there the optimiser's running gradient
 * decides, which says how hard an entry is pushed up.
 */
final class Landing {
  private record Entry(int step, int column, double score, double push) {}

  private Landing() {}

  /**
   * The table within the budget, nearest to it from below.
   *
   * @param trainable whether a step may reuse anything
   */
  static boolean[][] land(Table table, boolean[] trainable, Target target) {
    boolean[][] computes = new boolean[table.steps()][table.columns()];
    List<Entry> entries = new ArrayList<>();
    for (int s = 0; s < table.steps(); s++) {
      for (int b = 0; b < table.columns(); b++) {
        computes[s][b] = !trainable[s];
        if (trainable[s]) {
          entries.add(new Entry(s, b, table.logits()[s][b], -table.logitsAdam().first()[s][b]));
        }
      }
    }
    entries.sort(
        Comparator.comparingDouble(Entry::score).thenComparingDouble(Entry::push).reversed());
    double cost = target.cost(computes);
    for (Entry entry : entries) { // one that no longer fits leaves room for a lighter one
      double weight = target.weights()[entry.column()];
      if (target.allows(cost + weight)) {
        computes[entry.step()][entry.column()] = true;
        cost += weight;
      }
    }
    return computes;
  }
}
