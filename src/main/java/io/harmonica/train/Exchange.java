package io.harmonica.train;

import io.harmonica.train.Measure.Entry;
import io.harmonica.train.Measure.Routing;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * No paper: exchanges entries of a finished table under the exact measure, which training's soft
 * scores and step-wise losses only approach.
 *
 * <p>A round takes fresh pictures, whose {@link Responses} tell to first order what other tables
 * would do, and a {@link Descent} over tables proposes a sequence of moves within the budget. Of
 * its beginnings the best under the exact measure is made; then moves that come later, together or
 * by halves. Only what lowers the exact error stays, so no round makes it worse.
 */
final class Exchange {
  /** Directions that each picture is looked at along. */
  static final int PROBES = 4;

  /** Groups of later moves that a round tries. */
  private static final int TRIES = 12;

  private final Measure measure;
  private final Target target;
  private final boolean[] trainable;
  private Routing best;
  private double error;
  private int tries;

  /**
   * Starts at a table.
   *
   * @param trainable whether a step may reuse anything
   */
  Exchange(Measure measure, Target target, boolean[] trainable, Routing start) {
    this.measure = measure;
    this.target = target;
    this.trainable = trainable.clone();
    this.best = start;
    this.error = measure.error(start);
  }

  /** The best table so far, with the weights of the start. */
  Routing best() {
    return best;
  }

  /** Its error under the exact measure. */
  double error() {
    return error;
  }

  /** Follows the rounds. */
  interface Observer {
    /** A batch is through one probe. */
    void probed(double error);

    /** A round is over. */
    void round(int round, double error);
  }

  /**
   * Exchanges until nothing improves, at most so many rounds.
   *
   * @param fresh by round, the pictures whose responses it takes
   * @return rounds made
   */
  int run(int rounds, IntFunction<Measure> fresh, Observer observer) {
    for (int round = 0; round < rounds; round++) {
      double before = error;
      make(moves(fresh.apply(round), round, () -> observer.probed(before)));
      observer.round(round, error);
      if (error == before) {
        return round + 1;
      }
    }
    return rounds;
  }

  private List<List<Entry>> moves(Measure pictures, int seed, Runnable each) {
    Responses responses = Responses.of(pictures, best, PROBES, seed, each);
    double[] squares = responses.squares();
    return new Descent(responses, squares, best, trainable, measure.history(), target).moves();
  }

  private void make(List<List<Entry>> moves) {
    Routing start = best;
    int made = 0;
    for (int length = moves.size(); length > 0; length = length * 2 / 3) {
      made = improves(start, moves.subList(0, length)) ? length : made;
    }
    tries = TRIES;
    makeSome(moves.subList(made, moves.size()));
  }

  /** All of them, or what helps of either half. */
  private void makeSome(List<List<Entry>> moves) {
    if (moves.isEmpty() || tries == 0) {
      return;
    }
    tries--;
    if (!improves(best, moves) && moves.size() > 1) {
      makeSome(moves.subList(0, moves.size() / 2));
      makeSome(moves.subList(moves.size() / 2, moves.size()));
    }
  }

  /** Whether some moves make the best table so far; then it is kept. */
  private boolean improves(Routing from, List<List<Entry>> moves) {
    boolean[][] computes = copy(from.computes());
    moves.forEach(move -> move.forEach(e -> computes[e.step()][e.branch()] ^= true));
    double cost = target.cost(computes);
    if (!target.allows(cost) && cost > target.cost(best.computes())) {
      return false; // without the moves before them
    }
    Routing candidate = new Routing(computes, from.weights());
    double reached = measure.error(candidate);
    if (reached < error) {
      best = candidate;
      error = reached;
      return true;
    }
    return false;
  }

  static boolean[][] copy(boolean[][] computes) {
    return Arrays.stream(computes).map(boolean[]::clone).toArray(boolean[][]::new);
  }
}
