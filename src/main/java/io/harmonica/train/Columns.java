package io.harmonica.train;

import io.harmonica.model.Denoiser;
import io.harmonica.model.Flops;
import io.harmonica.router.Grain;
import io.harmonica.router.Reuse;
import io.harmonica.router.Run;
import io.harmonica.train.trajectory.Column;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a training decides about as one: by its grain each branch, each block, or all blocks; and
 * behind them what merging made of several. Every branch is in one of the first.
 */
record Columns(List<Column> all) {
  Columns {
    all = List.copyOf(all);
  }

  static Columns of(Grain grain, Denoiser model) {
    List<Run> runs = grain.runs(model.branchNames());
    return new Columns(
        runs.isEmpty()
            ? Column.branches(model)
            : runs.stream().map(run -> Column.run(model, run.first(), run.last())).toList());
  }

  int count() {
    return all.size();
  }

  /** How many branches each has. */
  int[] sizes() {
    return all.stream().mapToInt(Column::size).toArray();
  }

  /** The FLOPs of a pass, by column. */
  Flops flops(Flops byBranch) {
    return new Flops(
        byBranch.fixed(),
        all.stream()
            .map(column -> column.branches().mapToLong(byBranch.branches()::get).sum())
            .toList());
  }

  /**
   * A table by column, which computes where most of the branches do.
   *
   * @param computes {@code [steps][branches]}
   */
  boolean[][] table(boolean[][] computes) {
    var table = new boolean[computes.length][count()];
    for (int s = 0; s < table.length; s++) {
      boolean[] row = computes[s];
      for (int c = 0; c < count(); c++) {
        long computed = all.get(c).branches().filter(b -> row[b]).count();
        table[s][c] = 2 * computed >= all.get(c).size();
      }
    }
    return table;
  }

  /** The runs among them, as routers name them. */
  List<Run> runs() {
    return all.stream()
        .filter(Column::isRun)
        .map(column -> new Run(column.first(), column.last()))
        .toList();
  }

  /**
   * The columns that say the scores of a router's: of each branch the narrowest one that it is in,
   * then all runs.
   */
  List<Integer> ofRouter() {
    int branches = 1 + all.stream().mapToInt(Column::last).max().orElseThrow();
    return Stream.concat(
            IntStream.range(0, branches).mapToObj(this::narrowest),
            IntStream.range(0, count()).filter(c -> all.get(c).isRun()).boxed())
        .toList();
  }

  private int narrowest(int branch) {
    return IntStream.range(0, count())
        .filter(c -> all.get(c).covers(Column.branch(branch)))
        .boxed()
        .min(Comparator.comparingInt(c -> all.get(c).size()))
        .orElseThrow();
  }

  /** Whether a step reuses a wider run that a column is in. */
  boolean isUnderAnother(int column, boolean[] computes) {
    return IntStream.range(0, count())
        .anyMatch(
            other -> other != column && !computes[other] && all.get(other).covers(all.get(column)));
  }

  /** Weights of a router's columns; of branches without a column of their own nothing is read. */
  Reuse ofRouter(Reuse reuse) {
    if (!(reuse instanceof Reuse.Weights weights)) {
      return reuse;
    }
    List<Integer> columns = ofRouter();
    double[][][] values = weights.values();
    double[][][] own = new double[values.length][columns.size()][];
    for (int s = 0; s < own.length; s++) {
      for (int r = 0; r < columns.size(); r++) {
        own[s][r] = values[s][columns.get(r)];
      }
    }
    return new Reuse.Weights(own);
  }
}
