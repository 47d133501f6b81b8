package io.harmonica.router;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What one step does, without its numbers; steps with equal routes share one ensemble. It has a
 * column for every branch, in execution order, then one for every {@link Run}.
 *
 * @param histories per column: k in 1..3 reuses its last k stored outputs; 0 computes the branch,
 *     or leaves a run to its branches; {@link #LEFT_OUT} is a branch that does nothing
 * @param stored per column: whether a later step reads the output made here
 * @param runs that the router knows
 */
public record Route(List<Integer> histories, List<Boolean> stored, List<Run> runs) {

  /** The longest history that an engine takes. */
  public static final int MAX_HISTORY = 3;

  /**
   * Instead of a branch's history: nothing of it runs, as a run over it is reused, or the pass goes
   * without its block.
   */
  public static final int LEFT_OUT = -1;

  public Route {
    histories = List.copyOf(histories);
    stored = List.copyOf(stored);
    runs = List.copyOf(runs);
  }

  /** One without runs. */
  public Route(List<Integer> histories, List<Boolean> stored) {
    this(histories, stored, List.of());
  }

  /**
   * From how many outputs each column reads: none is computed, unless a run over it reads some.
   *
   * @param reads per column
   */
  static Route of(List<Integer> reads, List<Boolean> stored, List<Run> runs) {
    List<Integer> histories = new ArrayList<>(reads);
    int branches = reads.size() - runs.size();
    for (int r = 0; r < runs.size(); r++) {
      if (reads.get(branches + r) > 0) {
        runs.get(r).branches().forEach(branch -> histories.set(branch, LEFT_OUT));
      }
    }
    return new Route(histories, stored, runs);
  }

  /** A route that computes every branch and stores nothing: one uncached step. */
  public static Route full(int branches) {
    return new Route(Collections.nCopies(branches, 0), Collections.nCopies(branches, false));
  }

  /** The same without these branches. */
  Route without(Set<Integer> branches) {
    List<Integer> others = new ArrayList<>(histories);
    branches.forEach(branch -> others.set(branch, LEFT_OUT));
    return new Route(others, stored, runs);
  }

  /** How many of the columns are branches. */
  public int branches() {
    return histories.size() - runs.size();
  }

  /** How many stored outputs of a run are reused instead of its branches; 0 for none. */
  public int runHistory(int run) {
    return histories.get(branches() + run);
  }

  /** Whether a branch is reused from more than one output, so that they need weights. */
  public boolean forecastsBranches() {
    return histories.subList(0, branches()).stream().anyMatch(history -> history > 1);
  }

  /** Whether a later step reads what a run changes at this one. */
  public boolean storesRun(int run) {
    return stored.get(branches() + run);
  }

  /**
   * Whether the step makes a column's output anew: of a run, where it computes all its branches.
   */
  boolean makes(int column) {
    return column < branches()
        ? histories.get(column) == 0
        : runs.get(column - branches()).branches().allMatch(this::makes);
  }

  /**
   * What a branch does, as engine names write it: {@code c}, the digit of its history, or {@code x}
   * where it is left out.
   */
  public char variant(int branch) {
    int history = histories.get(branch);
    return history == 0 ? 'c' : history == LEFT_OUT ? 'x' : (char) ('0' + history);
  }

  /**
   * What the whole step does, as the name of an engine for it: a character a branch, and for every
   * run that is reused or stored {@code rFIRST-LAST.HISTORY} or {@code sFIRST-LAST}.
   */
  public String variant() {
    String own =
        IntStream.range(0, branches())
            .mapToObj(branch -> String.valueOf(variant(branch)))
            .collect(Collectors.joining());
    StringBuilder all = new StringBuilder(own);
    for (int r = 0; r < runs.size(); r++) {
      String span = runs.get(r).first() + "-" + runs.get(r).last();
      if (runHistory(r) > 0) {
        all.append("-r").append(span).append('.').append(runHistory(r));
      } else if (storesRun(r)) {
        all.append("-s").append(span);
      }
    }
    return all.toString();
  }
}
