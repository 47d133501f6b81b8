package io.harmonica.train;

import io.harmonica.torch.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The exact measure of a table: how far its pictures are from the uncached ones, from a fixed set
 * of noises, with the routing that inference does. Also what a change of one entry does to the
 * pictures.
 */
final class Measure {
  private final Denoising denoising;
  private final int history;
  private final List<Batch> batches;
  private final float[] uncached; // pictures of all batches

  /** A table with the weights of its reused outputs. */
  record Routing(boolean[][] computes, Routes.Weights weights) {}

  /** An entry of a table. */
  record Entry(int step, int branch) {}

  Measure(Denoising denoising, int history, List<Batch> batches) {
    this.denoising = denoising;
    this.history = history;
    this.batches = List.copyOf(batches);
    this.uncached = join(batches.stream().map(b -> pictures(b, denoising.uncached(b))).toList());
  }

  /** The difference of all pictures to the uncached ones. */
  float[] difference(Routing routing) {
    List<float[]> results = new ArrayList<>();
    for (Batch batch : batches) {
      try (Walk walk = Walk.start(denoising, batch, history, 0)) {
        finish(walk, routing);
        results.add(pictures(batch, walk.x()));
      }
    }
    return minus(join(results), uncached);
  }

  /** Mean squared difference to the uncached pictures. */
  double error(Routing routing) {
    return meanSquare(difference(routing));
  }

  /**
   * What flipping each of some entries, alone, does to the pictures. A trajectory differs from the
   * table's only from the entry's step on, and forks there.
   */
  float[][] effects(Routing routing, List<Entry> entries, Runnable each) {
    List<List<float[]>> results = new ArrayList<>();
    entries.forEach(entry -> results.add(new ArrayList<>()));
    List<float[]> bases = new ArrayList<>();
    for (Batch batch : batches) {
      try (Walk walk = Walk.start(denoising, batch, history, 0)) {
        while (!walk.done()) {
          for (int i = 0; i < entries.size(); i++) {
            if (entries.get(i).step() == walk.step()) {
              results.get(i).add(pictures(batch, flipped(walk, routing, entries.get(i).branch())));
              each.run();
            }
          }
          step(walk, routing, routing.computes()[walk.step()]);
        }
        bases.add(pictures(batch, walk.x()));
      }
    }
    float[] base = join(bases);
    return results.stream().map(parts -> minus(join(parts), base)).toArray(float[][]::new);
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

  private static float[] join(List<float[]> parts) {
    float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  private static float[] minus(float[] a, float[] b) {
    float[] difference = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      difference[i] = a[i] - b[i];
    }
    return difference;
  }

  static double meanSquare(float[] values) {
    return dot(values, values) / values.length;
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
