package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * Delta-DiT (arXiv 2406.01125, Delta-Cache in stages): every {@code interval}-th step computes all
 * blocks. Between, steps of the first stage, where outlines form, skip the back blocks, and steps
 * of the second, where details do, the front blocks: {@code x_out = x_in + delta}, the delta being
 * what the skipped blocks changed, {@code x_out - x_in}, at the last full step.
 *
 * @param interval steps from one full step to the next, at least 1
 * @param cur the cache utilisation ratio to come nearest to by the number of skipped blocks; null
 *     skips half the blocks
 * @param boundary the step from which on the second stage is; null: half the steps. Until the next
 *     full step the stage stays as it is, so that the last delta is of the blocks that are skipped
 */
public record DeltaDit(int interval, Double cur, Integer boundary) implements Policy {
  public DeltaDit {
    Policy.requireInterval(interval);
    if (cur != null) {
      Policy.requireCur(cur);
    }
    if (boundary != null && boundary < 0) {
      throw new IllegalArgumentException("boundary is %d, expected 0 or more".formatted(boundary));
    }
  }

  /** With stages of equal length. */
  public DeltaDit(int interval, Double cur) {
    this(interval, cur, null);
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
    if (boundary != null) {
      training.put("boundary", boundary);
    }
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    return table(steps, branches, skipped(steps, branches));
  }

  /** The front blocks and the back blocks that it skips. */
  @Override
  public List<Run> runs(int steps, List<String> branches) {
    List<Run> blocks = Grain.RUN.runs(branches);
    int skipped = skipped(steps, branches);
    if (skipped == 0) {
      return List.of();
    }
    Run front = new Run(0, blocks.get(skipped - 1).last());
    Run back = new Run(blocks.get(blocks.size() - skipped).first(), branches.size() - 1);
    return front.equals(back) ? List.of(front) : List.of(front, back);
  }

  private int skipped(int steps, List<String> branches) {
    int blocks = Grain.RUN.runs(branches).size();
    if (cur == null) {
      return blocks / 2;
    }
    Policy.requireCur(cur, steps);
    int nearest = 0;
    for (int skipped = 1; skipped <= blocks; skipped++) {
      if (distance(table(steps, branches, skipped)) < distance(table(steps, branches, nearest))) {
        nearest = skipped;
      }
    }
    return nearest;
  }

  private boolean[][] table(int steps, List<String> branches, int skipped) {
    List<String> blocks = branches.stream().map(Policy::block).distinct().toList();
    var table = new boolean[steps][branches.size()];
    for (int s = 0; s < steps; s++) {
      int full = s - s % interval; // its delta is the one at hand
      boolean early = boundary == null ? 2 * full < steps : full < boundary;
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
