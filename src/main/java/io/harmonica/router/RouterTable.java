package io.harmonica.router;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The scores of a router, by step and column, and what must hold of them.
 *
 * @param scores {@code [steps][branches + runs]}, the router's own
 */
record RouterTable(List<String> branches, List<Run> runs, double threshold, double[][] scores) {

  int columns() {
    return branches.size() + runs.size();
  }

  /** The reused run that stands for a branch. */
  Optional<Run> run(int step, int branch) {
    return IntStream.range(0, runs.size())
        .filter(r -> reuses(step, r) && runs.get(r).covers(branch))
        .mapToObj(runs::get)
        .findFirst();
  }

  private boolean reuses(int step, int run) {
    return !(scores[step][branches.size() + run] > threshold);
  }

  /** Refuses a table that no trajectory can follow. */
  void require(int steps) {
    requireRuns();
    if (scores.length != steps) {
      throw new IllegalArgumentException(
          "scores has %d rows, expected steps = %d".formatted(scores.length, steps));
    }
    for (int s = 0; s < steps; s++) {
      if (scores[s].length != columns()) {
        throw new IllegalArgumentException(
            "scores[%d] has %d entries, expected one for each of %d branches%s"
                .formatted(
                    s,
                    scores[s].length,
                    branches.size(),
                    runs.isEmpty() ? "" : " and %d runs".formatted(runs.size())));
      }
      for (int c = 0; c < columns(); c++) {
        requireScore(s, c);
      }
      for (int r = 0; r < runs.size(); r++) {
        if (reuses(s, r)) {
          requireReused(s, r);
        }
      }
    }
  }

  private void requireRuns() {
    for (int r = 0; r < runs.size(); r++) {
      if (runs.get(r).last() >= branches.size()) {
        throw new IllegalArgumentException(
            "runs[%d] ends at branch %d, expected one of %d"
                .formatted(r, runs.get(r).last(), branches.size()));
      }
      if (runs.indexOf(runs.get(r)) < r) {
        throw new IllegalArgumentException(
            "run %s is listed twice".formatted(runs.get(r).name(branches)));
      }
    }
  }

  private void requireScore(int step, int column) {
    double score = scores[step][column];
    if (!(score >= 0 && score <= 1)) {
      throw new IllegalArgumentException(
          "scores[%d][%d] is %s, expected 0..1".formatted(step, column, score));
    }
    if (step == 0 && !(score > threshold)) {
      throw new IllegalArgumentException(
          "scores[0][%d] is %s, not above the threshold %s, but step 0 has nothing to reuse"
              .formatted(column, score, threshold));
    }
  }

  /** A run says how its branches are reused, not whether: one meaning, whoever reads the table. */
  private void requireReused(int step, int run) {
    Run own = runs.get(run);
    own.branches()
        .filter(branch -> scores[step][branch] > threshold)
        .findFirst()
        .ifPresent(
            branch -> {
              throw new IllegalArgumentException(
                  "scores[%d] reuses run %s but computes its branch %s, expected all its branches reused"
                      .formatted(step, own.name(branches), branches.get(branch)));
            });
    for (int other = run + 1; other < runs.size(); other++) {
      if (reuses(step, other) && own.overlaps(runs.get(other))) {
        throw new IllegalArgumentException(
            "scores[%d] reuses runs %s and %s, which share branches, expected one of them"
                .formatted(step, own.name(branches), runs.get(other).name(branches)));
      }
    }
  }
}
