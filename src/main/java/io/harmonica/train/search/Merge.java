package io.harmonica.train.search;

import io.harmonica.train.search.Measure.Rated;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Column;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * No paper: merges neighbours that a finished table reuses to runs, step by step, where that costs
 * less than it saves.
 *
 * <p>A run has the gates of the steps that made it, so it is another forecast than its branches', a
 * better one where steps lie close, a worse one where they do not. It saves reads of stored outputs
 * and calls of engines. Reading one tensor instead of all counts as much as an error higher by
 * {@value #WORTH} of itself; the exact measure says what it is.
 */
public final class Merge {
  /** What it may cost, as a share of the error, to read next to nothing instead of everything. */
  private static final double WORTH = 0.05;

  /** Runs that are tried; the others save less. */
  private static final int MOST_RUNS = 8;

  /** Groups of steps that are tried for a run. */
  private static final int TRIES = 7;

  private final Measure measure;
  private final int known; // columns that were there
  private final Substitute.Weights weights;
  private final double allReads;
  private Rated best;
  private int tries;

  private Merge(Measure measure, List<Column> runs, Rated start, Substitute.Weights forecast) {
    this.measure = measure.over(measure.denoising().with(runs));
    this.known = measure.denoising().columns();
    Substitute.Weights before = start.routing().weights();
    this.weights =
        (step, column, stored) -> (column < known ? before : forecast).of(step, column, stored);
    boolean[][] computes = Exchange.copy(start.routing().computes());
    long reused = 0;
    for (int s = 0; s < computes.length; s++) {
      reused += IntStream.range(0, known).filter(notIn(computes[s])).count();
      computes[s] = Arrays.copyOf(computes[s], known + runs.size());
      Arrays.fill(computes[s], known, computes[s].length, true);
    }
    this.allReads = reused;
    this.best = new Rated(new Routing(computes, weights), start.error());
  }

  private static IntPredicate notIn(boolean[] row) {
    return column -> !row[column];
  }

  /**
   * Merges what a table reuses.
   *
   * @param forecast weights of runs
   */
  public static Merge of(Measure measure, Rated start, Substitute.Weights forecast) {
    Map<Column, List<Integer>> candidates = candidates(measure, start.routing().computes());
    Merge tried = new Merge(measure, List.copyOf(candidates.keySet()), start, forecast);
    int run = tried.known;
    for (List<Integer> steps : candidates.values()) {
      tried.tries = TRIES;
      tried.makeSome(run++, steps);
    }
    return tried.withoutIdle(measure, start, forecast);
  }

  /** Without the runs that no step reuses. */
  private Merge withoutIdle(Measure without, Rated start, Substitute.Weights forecast) {
    boolean[][] computes = best.routing().computes();
    List<Integer> busy =
        IntStream.range(known, computes[0].length)
            .filter(run -> Arrays.stream(computes).anyMatch(row -> !row[run]))
            .boxed()
            .toList();
    Merge kept =
        new Merge(
            without, busy.stream().map(measure.denoising().all()::get).toList(), start, forecast);
    boolean[][] own = kept.best.routing().computes();
    for (int s = 0; s < own.length; s++) {
      for (int r = 0; r < busy.size(); r++) {
        own[s][known + r] = computes[s][busy.get(r)];
      }
    }
    kept.best = new Rated(kept.best.routing(), best.error());
    return kept;
  }

  /** The table with its merges, by the columns of {@link #measure}. */
  public Rated best() {
    return best;
  }

  /** Over the columns that were there, and the runs behind them. */
  public Measure measure() {
    return measure;
  }

  /** A run at some steps; where that costs too much, at what of either half does not. */
  private void makeSome(int run, List<Integer> steps) {
    if (tries == 0) {
      return;
    }
    tries--;
    boolean[][] computes = Exchange.copy(best.routing().computes());
    steps.forEach(step -> computes[step][run] = false);
    Rated candidate = measure.rate(new Routing(computes, weights));
    Column own = measure.denoising().all().get(run);
    long reads = measure.denoising().all().stream().limit(known).filter(own::covers).count() - 1;
    double saved = steps.size() * reads / allReads;
    if (candidate.error() <= best.error() * (1 + WORTH * saved)) {
      best = candidate;
    } else if (steps.size() > 1) {
      makeSome(run, steps.subList(0, steps.size() / 2));
      makeSome(run, steps.subList(steps.size() / 2, steps.size()));
    }
  }

  /**
   * The runs that save most reads, with the steps that may reuse them: all columns in it are reused
   * there, from the same steps. Of two that share branches one covers the other.
   */
  private static Map<Column, List<Integer>> candidates(Measure measure, boolean[][] computes) {
    Map<List<Integer>, List<Integer>> steps = new LinkedHashMap<>(); // by first and last column
    List<List<List<Integer>>> stored = // by column and step
        IntStream.range(0, computes[0].length).mapToObj(c -> measure.stored(computes, c)).toList();
    for (int s = 0; s < computes.length; s++) {
      boolean[] row = computes[s];
      int first = 0;
      for (int c = 1; c <= row.length; c++) {
        boolean goesOn =
            c < row.length
                && !row[c]
                && !row[first]
                && stored.get(c).get(s).equals(stored.get(first).get(s));
        if (!goesOn) {
          if (c - first > 1) {
            steps.computeIfAbsent(List.of(first, c - 1), span -> new ArrayList<>()).add(s);
          }
          first = c;
        }
      }
    }
    Map<Column, List<Integer>> candidates = new LinkedHashMap<>();
    steps.entrySet().stream()
        .sorted(Comparator.comparingInt(span -> -saved(span)))
        .forEach(
            span -> {
              Column run = run(measure.denoising(), span.getKey());
              if (candidates.size() < MOST_RUNS
                  && candidates.keySet().stream().allMatch(run::fits)) {
                candidates.put(run, span.getValue());
              }
            });
    return candidates;
  }

  private static int saved(Map.Entry<List<Integer>, List<Integer>> span) {
    return (span.getKey().get(1) - span.getKey().get(0)) * span.getValue().size();
  }

  private static Column run(Denoising denoising, List<Integer> span) {
    return denoising.run(
        denoising.all().get(span.get(0)).first(), denoising.all().get(span.get(1)).last());
  }
}
