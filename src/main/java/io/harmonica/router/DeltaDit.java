package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * Delta-DiT (arXiv 2406.01125): between full steps, the first half of the trajectory skips the back
 * blocks and the second half the front blocks.
 *
 * <p>This differs from the paper: there a run of skipped blocks is replaced by its cached
 * <em>delta</em>, the difference between its output and its input. Here each skipped block's
 * branches reuse their own last computed outputs, and the current step's gates still apply to them.
 * Which blocks are skipped, and when, follows the paper, with the stages split at half the steps;
 * its reported quality is not to be expected.
 *
 * @param interval steps from one full step to the next, at least 1
 * @param cur the cache utilisation ratio to come nearest to by the number of skipped blocks; null
 *     skips half the blocks
 */
public record DeltaDit(int interval, Double cur) implements Policy {
  public DeltaDit {
    Policy.requireInterval(interval);
    if (cur != null) {
      Policy.requireCur(cur);
    }
  }

  /** The policy that skips so many blocks. */
  static DeltaDit skipping(int blocks, int interval, int steps, List<String> branches) {
    return new DeltaDit(interval, cur(new DeltaDit(interval, null).table(steps, branches, blocks)));
  }

  @Override
  public String policy() {
    return "delta-dit";
  }

  @Override
  public void describe(ObjectNode training) {
    training.put("interval", interval);
    if (cur != null) {
      training.put("cur", cur);
    }
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    int blocks = (int) branches.stream().map(Policy::block).distinct().count();
    if (cur == null) {
      return table(steps, branches, blocks / 2);
    }
    Policy.requireCur(cur, steps);
    boolean[][] nearest = table(steps, branches, 0);
    for (int skipped = 1; skipped <= blocks; skipped++) {
      boolean[][] table = table(steps, branches, skipped);
      if (distance(table) < distance(nearest)) {
        nearest = table;
      }
    }
    return nearest;
  }

  private boolean[][] table(int steps, List<String> branches, int skipped) {
    List<String> blocks = branches.stream().map(Policy::block).distinct().toList();
    var table = new boolean[steps][branches.size()];
    for (int s = 0; s < steps; s++) {
      boolean early = 2 * s < steps;
      for (int b = 0; b < branches.size(); b++) {
        int block = blocks.indexOf(Policy.block(branches.get(b)));
        boolean skips = early ? block >= blocks.size() - skipped : block < skipped;
        table[s][b] = s % interval == 0 || !skips;
      }
    }
    return table;
  }

  private double distance(boolean[][] table) {
    return Math.abs(cur(table) - cur);
  }

  private static double cur(boolean[][] table) {
    long reused = 0;
    for (boolean[] row : table) {
      for (boolean computes : row) {
        reused += computes ? 0 : 1;
      }
    }
    return (double) reused / (table.length * table[0].length);
  }
}
