package io.harmonica.train;

import io.harmonica.train.Measure.Entry;
import io.harmonica.train.Measure.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * No paper: exchanges entries of a finished table under the exact measure, which training's soft
 * scores and step-wise losses only approach.
 *
 * <p>A round measures what flipping each entry alone does to the pictures. To first order the
 * effects of several flips add up: a descent on that sum, by flips and swaps that keep the budget,
 * proposes a sequence of moves. Of its beginnings the best under the exact measure is kept, if it
 * is better than the table. So no round makes it worse.
 */
final class Exchange {
  /** Batches whose effects a round measures; all batches judge what follows from them. */
  static final int SWEPT = 3;

  private final Measure measure;
  private final Target target;

  Exchange(Measure measure, Target target) {
    this.measure = measure;
    this.target = target;
  }

  /** What came out. */
  record Result(boolean[][] computes, double error, int rounds) {}

  /**
   * Exchanges until nothing improves, at most so many rounds.
   *
   * @param progress told the error for every flip that is measured
   */
  Result run(Routing start, boolean[] trainable, int rounds, Consumer<String> progress) {
    boolean[][] computes = copy(start.computes());
    double error = measure.error(start);
    int round = 0;
    boolean better = true;
    while (better && round < rounds) {
      Routing current = new Routing(computes, start.weights());
      List<Entry> entries = entries(computes, trainable);
      Proposal proposal = new Proposal(computes, entries, target);
      String note = String.format(Locale.ROOT, "error %.4g", error);
      for (int i = 0; i < SWEPT; i++) { // other pictures in every round
        int batch = (round * SWEPT + i) % measure.batches();
        float[][] effects = measure.effects(batch, current, entries, () -> progress.accept(note));
        float[] difference = measure.difference(batch, current);
        proposal.add(measure.pictures(batch), difference, effects);
      }
      List<List<Entry>> moves = proposal.moves();
      better = false;
      for (int length = moves.size(); length > 0; length = length * 2 / 3) {
        boolean[][] candidate = copy(current.computes());
        moves.subList(0, length).forEach(move -> move.forEach(entry -> flip(candidate, entry)));
        double reached = measure.error(new Routing(candidate, start.weights()));
        if (reached < error) {
          error = reached;
          computes = candidate;
          better = true;
        }
      }
      round++;
    }
    return new Result(computes, error, round);
  }

  private static List<Entry> entries(boolean[][] computes, boolean[] trainable) {
    List<Entry> entries = new ArrayList<>();
    for (int s = 0; s < computes.length; s++) {
      for (int b = 0; b < computes[s].length && trainable[s]; b++) {
        entries.add(new Entry(s, b));
      }
    }
    return entries;
  }

  private static void flip(boolean[][] computes, Entry entry) {
    computes[entry.step()][entry.branch()] ^= true;
  }

  private static boolean[][] copy(boolean[][] computes) {
    return Arrays.stream(computes).map(boolean[]::clone).toArray(boolean[][]::new);
  }
}
