package io.harmonica.train.search;

import io.harmonica.train.search.Measure.Entry;
import io.harmonica.train.search.Measure.Rated;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Purpose;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * No paper: exchanges entries of a finished table under the exact measure, which training's soft
 * scores and step-wise losses only approach.
 *
 * <p>A round takes fresh pictures, whose {@link Responses} tell to first order what other tables
 * would do, and a {@link Descent} over tables proposes a sequence of moves within the budget. It is
 * cut by thirds, and the best beginning under the exact measure is made; then what helps of the
 * moves that come later, by halves. Only what lowers the exact error stays, so no round makes it
 * worse.
 */
public final class Exchange {
  /** Directions that each picture is looked at along. */
  public static final int PROBES = 4;

  /** Groups of later moves that a round tries. */
  private static final int TRIES = 11;

  private final Measure measure;
  private final Target target;
  private final boolean[] trainable;
  private final long seed;
  private Rated best;
  private int tries;

  /**
   * Starts at a table.
   *
   * @param trainable whether a step may reuse anything
   * @param start as {@code measure} rates it
   * @param seed the run's
   */
  public Exchange(Measure measure, Target target, boolean[] trainable, Rated start, long seed) {
    this.measure = measure;
    this.target = target;
    this.trainable = trainable.clone();
    this.best = start;
    this.seed = seed;
  }

  /** The best table so far, with the weights of the start. */
  public Rated best() {
    return best;
  }

  /** Follows the rounds. */
  public interface Observer {
    /** A batch is through one probe. */
    void probed(double error);

    /**
     * A round is over.
     *
     * @param last whether it found nothing, so that no more follow
     */
    void round(int round, Rated best, boolean last);
  }

  /**
   * Exchanges until nothing improves.
   *
   * @param first the first round's number; those before it led to the start
   * @param rounds how many there may be, those before the first one included
   * @param fresh by round, the pictures whose responses it takes
   * @return rounds made, those before the first one included
   */
  public int run(int first, int rounds, IntFunction<Measure> fresh, Observer observer) {
    for (int round = first; round < rounds; round++) {
      double before = best.error();
      make(moves(fresh.apply(round), round, () -> observer.probed(before)));
      boolean last = best.error() == before;
      observer.round(round, best, last);
      if (last) {
        return round + 1;
      }
    }
    return Math.max(first, rounds);
  }

  private List<List<Entry>> moves(Measure pictures, int round, Runnable each) {
    long directions = Purpose.DIRECTIONS.seed(seed, round);
    Responses responses = Responses.of(pictures, best.routing(), PROBES, directions, each);
    return new Descent(responses, best.routing(), trainable, measure.history(), target).moves();
  }

  private void make(List<List<Entry>> moves) {
    Routing start = best.routing();
    int made = 0;
    for (int length = moves.size(); length > 0; length = length * 2 / 3) {
      made = improves(start, moves.subList(0, length)) ? length : made;
    }
    tries = TRIES;
    makeHalves(moves.subList(made, moves.size())); // all of them were the first try
  }

  /** Moves that together do not help: what helps of either half. */
  private void makeHalves(List<List<Entry>> moves) {
    if (moves.size() > 1) {
      makeSome(moves.subList(0, moves.size() / 2));
      makeSome(moves.subList(moves.size() / 2, moves.size()));
    }
  }

  private void makeSome(List<List<Entry>> moves) {
    if (tries == 0) {
      return;
    }
    tries--;
    if (!improves(best.routing(), moves)) {
      makeHalves(moves);
    }
  }

  /** Whether some moves make the best table so far; then it is kept. */
  private boolean improves(Routing from, List<List<Entry>> moves) {
    boolean[][] computes = copy(from.computes());
    moves.forEach(move -> move.forEach(e -> computes[e.step()][e.column()] ^= true));
    double cost = target.cost(computes);
    if (!target.allows(cost) && cost > target.cost(best.routing().computes())) {
      return false; // without the moves before them
    }
    Rated candidate = measure.rate(new Routing(computes, from.weights()));
    if (candidate.error() < best.error()) {
      best = candidate;
      return true;
    }
    return false;
  }

  static boolean[][] copy(boolean[][] computes) {
    return Arrays.stream(computes).map(boolean[]::clone).toArray(boolean[][]::new);
  }
}
