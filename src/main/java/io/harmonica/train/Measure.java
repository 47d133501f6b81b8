package io.harmonica.train;

import io.harmonica.torch.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * The exact measure of a table: how far its pictures are from the uncached ones, from a fixed set
 * of noises, with the routing that inference does. Also what a change of one entry does to the
 * pictures.
 */
final class Measure {
  /** Squared differences below count as this: identical pictures have none. */
  private static final double LEAST = 1e-14;

  private final Denoising denoising;
  private final int history;
  private final List<Batch> batches;
  private final List<float[]> uncached; // per batch its pictures

  /** A table with the weights of its reused outputs. */
  record Routing(boolean[][] computes, Routes.Weights weights) {}

  /** An entry of a table. */
  record Entry(int step, int branch) {}

  Measure(Denoising denoising, int history, List<Batch> batches) {
    this.denoising = denoising;
    this.history = history;
    this.batches = List.copyOf(batches);
    this.uncached =
        batches.stream().map(batch -> pictures(batch, denoising.uncached(batch))).toList();
  }

  int batches() {
    return batches.size();
  }

  int pictures(int batch) {
    return batches.get(batch).pictures();
  }

  /** The geometric mean of the pictures' mean squared differences to the uncached ones. */
  double error(Routing routing) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < batches.size(); i++) {
      for (double square : meanSquares(difference(i, routing), batches.get(i).pictures())) {
        sum += Math.log(square);
        count++;
      }
    }
    return Math.exp(sum / count);
  }

  /** The difference of a batch's pictures to the uncached ones. */
  float[] difference(int batch, Routing routing) {
    try (Walk walk = Walk.start(denoising, batches.get(batch), history, 0)) {
      finish(walk, routing);
      return minus(pictures(walk.batch(), walk.x()), uncached.get(batch));
    }
  }

  /**
   * What flipping each of some entries, alone, does to a batch's pictures. A trajectory differs
   * from the table's only from the entry's step on, and forks there.
   */
  float[][] effects(int batch, Routing routing, List<Entry> entries, Runnable each) {
    float[][] effects = new float[entries.size()][];
    try (Walk walk = Walk.start(denoising, batches.get(batch), history, 0)) {
      while (!walk.done()) {
        for (int i = 0; i < effects.length; i++) {
          if (entries.get(i).step() == walk.step()) {
            effects[i] = flipped(walk, routing, entries.get(i).branch());
            each.run();
          }
        }
        step(walk, routing, routing.computes()[walk.step()]);
      }
      float[] base = pictures(walk.batch(), walk.x());
      for (int i = 0; i < effects.length; i++) {
        effects[i] = minus(pictures(walk.batch(), effects[i]), base);
      }
    }
    return effects;
  }

  private float[] flipped(Walk walk, Routing routing, int branch) {
    boolean[] computes = routing.computes()[walk.step()].clone();
    computes[branch] = !computes[branch];
    try (Walk fork = walk.fork()) {
      step(fork, routing, computes);
      finish(fork, routing);
      return fork.x();
    }
  }

  private void finish(Walk walk, Routing routing) {
    while (!walk.done()) {
      step(walk, routing, routing.computes()[walk.step()]);
    }
  }

  private void step(Walk walk, Routing routing, boolean[] computes) {
    try (Scope scope = Scope.withoutGradients()) {
      Denoising.Route route = Routes.hard(denoising.ops(), walk, computes, routing.weights());
      walk.advance(denoising.guided(denoising.embed(walk), route).floats());
    }
  }

  /** Results without the second half, which guidance carries along. */
  private static float[] pictures(Batch batch, float[] x) {
    return Arrays.copyOf(x, x.length / batch.copies());
  }

  private static float[] minus(float[] a, float[] b) {
    float[] difference = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      difference[i] = a[i] - b[i];
    }
    return difference;
  }

  /** By picture. */
  static double[] meanSquares(float[] difference, int pictures) {
    double[] squares = new double[pictures];
    int size = difference.length / pictures;
    for (int i = 0; i < difference.length; i++) {
      squares[i / size] += (double) difference[i] * difference[i] / size;
    }
    return Arrays.stream(squares).map(square -> Math.max(square, LEAST)).toArray();
  }
}
