package io.harmonica.train;

import io.harmonica.torch.Scope;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Walk;
import java.util.ArrayList;
import java.util.Iterator;
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
  private final List<TreeMap<Integer, Value>> differences = new ArrayList<>(); // by column and step
  private final List<Read> reads = new ArrayList<>(); // of the step that runs

  /**
   * A stored output that a step reuses.
   *
   * @param stored the step that stored it
   * @param leaf where the gradient by it is found
   */
  private record Read(int column, int stored, Value leaf) {}

  Credit(Walk walk, int steps, int columns) {
    this.walk = walk;
    this.byScore = new double[steps][columns];
    for (int b = 0; b < columns; b++) {
      differences.add(new TreeMap<>());
    }
  }

  @Override
  public Value reads(int column, int stored, Value output) {
    Value leaf = output.asLeaf();
    reads.add(new Read(column, stored, leaf));
    return leaf;
  }

  @Override
  public void changes(int column, Value difference) {
    try (Scope scope = Scope.withoutGradients()) {
      differences.get(column).put(walk.step(), scope.keep(difference.detach()));
    }
  }

  /**
   * After a step's backward pass, and before the walk goes on: shares out what its loss says of
   * what it read.
   *
   * @param weight of the step's error
   */
  void settle(double weight) {
    try (Scope scope = Scope.withoutGradients()) {
      for (Read read : reads) {
        boolean isNewest = read.stored == newest(read.column);
        int until = isNewest ? walk.step() : read.stored + 1; // others might have stored since
        differences
            .get(read.column)
            .subMap(read.stored, until)
            .forEach(
                (step, difference) ->
                    byScore[step][read.column] += weight * read.leaf.gradientAlong(difference));
      }
    }
    reads.clear();
    for (int b = 0; b < differences.size(); b++) {
      forget(b);
    }
  }

  private int newest(int column) {
    return walk.cache().steps(column).get(0);
  }

  /** Drops what lies before the newest stored output and is of none that is kept. */
  private void forget(int column) {
    Iterator<Map.Entry<Integer, Value>> kept = differences.get(column).entrySet().iterator();
    while (kept.hasNext()) {
      Map.Entry<Integer, Value> one = kept.next();
      if (one.getKey() < newest(column) && !walk.cache().steps(column).contains(one.getKey())) {
        one.getValue().close();
        kept.remove();
      }
    }
  }

  /** Derivatives of later steps' weighted losses by a row's scores. */
  double[] of(int step) {
    return byScore[step];
  }

  @Override
  public void close() {
    differences.forEach(kept -> kept.values().forEach(Value::close));
  }
}
