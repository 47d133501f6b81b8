package io.harmonica.train;

import io.harmonica.torch.Scope;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Walk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What computing an output at a step is worth to the later steps that reuse it: the part of the
 * losses' gradient that a row does not see otherwise, as stored outputs are detached.
 *
 * <p>A step q that stores a column puts by {@code o = h + r (f - h)}, h being what it would have
 * reused. A later step s that reuses this o has {@code dL_s/dr_q = <dL_s/do, f - h>}. Where q does
 * not store, the same says what it would have changed if it had. Steps that compute give no credit,
 * though soft routing mixes stored outputs in: inference does not, and with theirs training came
 * out worse.
 *
 * <p>Owns the differences {@code f - h} that it keeps; {@link #close} frees them.
 */
final class Credit implements Soft.Observer, AutoCloseable {
  private final Walk walk;
  private final double[][] byScore; // [steps][columns]: of later losses
  private final Map<Integer, TreeMap<Integer, Value>> differences = new HashMap<>(); // by column
  private final Map<Integer, Map<Integer, Value>> read = new HashMap<>(); // by column and step

  Credit(Walk walk, int steps, int columns) {
    this.walk = walk;
    this.byScore = new double[steps][columns];
  }

  @Override
  public Value reads(int column, int stored, Value output) {
    Value leaf = output.asLeaf();
    read.computeIfAbsent(column, none -> new HashMap<>()).put(stored, leaf);
    return leaf;
  }

  @Override
  public void changes(int column, Value difference) {
    TreeMap<Integer, Value> kept = differences.computeIfAbsent(column, none -> new TreeMap<>());
    try (Scope scope = Scope.withoutGradients()) {
      kept.put(walk.step(), scope.keep(difference.detach()));
    }
  }

  /**
   * After a step's backward pass, and before the walk goes on: shares out what its loss says of
   * what it read.
   *
   * @param weight of the step's error
   */
  void settle(double weight) {
    int step = walk.step();
    try (Scope scope = Scope.withoutGradients()) {
      read.forEach(
          (column, leaves) -> {
            int newest = leaves.keySet().stream().max(Integer::compare).orElseThrow();
            leaves.forEach(
                (stored, leaf) ->
                    differences
                        .getOrDefault(column, new TreeMap<>())
                        .subMap(stored, stored == newest ? step : stored + 1)
                        .forEach(
                            (earlier, difference) ->
                                byScore[earlier][column] +=
                                    weight * leaf.gradientAlong(difference)));
          });
    }
    read.clear();
    differences.forEach(this::forget);
  }

  /** Drops what lies before the newest stored output and is none of the others. */
  private void forget(int column, TreeMap<Integer, Value> kept) {
    List<Integer> stored = walk.cache().steps(column);
    kept.entrySet()
        .removeIf(
            entry -> {
              boolean over = entry.getKey() < stored.get(0) && !stored.contains(entry.getKey());
              if (over) {
                entry.getValue().close();
              }
              return over;
            });
  }

  /** Derivatives of later steps' weighted losses by a row's scores. */
  double[] of(int step) {
    return byScore[step];
  }

  @Override
  public void close() {
    differences.values().forEach(kept -> kept.values().forEach(Value::close));
  }
}
