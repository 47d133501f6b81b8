package io.harmonica.train.search;

import io.harmonica.torch.TorchOps;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The exact measure of a table: how far its pictures are from the uncached ones, from a fixed set
 * of noises, with the routing that inference does.
 */
public final class Measure {
  /** Squared differences below count as this: identical pictures have none. */
  private static final double LEAST = 1e-14;

  private final Denoising denoising;
  private final int history;
  private final List<Batch> batches;
  private final List<float[]> uncached; // per batch its pictures

  /**
   * A table with the weights of its reused outputs.
   *
   * @param computes {@code [steps][columns]}
   */
  public record Routing(boolean[][] computes, Substitute.Weights weights) {
    /** What inference does at a walk's step. */
    Substitute route(TorchOps ops, Walk walk) {
      return Substitute.hard(ops, walk, computes[walk.step()], weights);
    }
  }

  /** A table and its {@link #error}. */
  public record Rated(Routing routing, double error) {}

  /** An entry of a table. */
  record Entry(int step, int column) {}

  public Measure(Denoising denoising, int history, List<Batch> batches) {
    this.denoising = denoising;
    this.history = history;
    this.batches = List.copyOf(batches);
    this.uncached =
        batches.stream().map(batch -> pictures(batch, denoising.uncached(batch))).toList();
  }

  private Measure(Denoising denoising, int history, List<Batch> batches, List<float[]> uncached) {
    this.denoising = denoising;
    this.history = history;
    this.batches = batches;
    this.uncached = uncached;
  }

  /** The same pictures, for tables of other columns. */
  public Measure over(Denoising other) {
    return new Measure(other, history, batches, uncached);
  }

  public Denoising denoising() {
    return denoising;
  }

  /** How many outputs of a column are kept. */
  int history() {
    return history;
  }

  List<Batch> batches() {
    return batches;
  }

  /**
   * The steps whose outputs of a column are kept when each step begins, newest first: what it
   * reuses where it does not compute the column.
   *
   * @param computes {@code [steps][columns]}
   * @return by step
   */
  public List<List<Integer>> stored(boolean[][] computes, int column) {
    List<List<Integer>> stored = new ArrayList<>();
    List<Integer> kept = List.of();
    for (int s = 0; s < computes.length; s++) {
      stored.add(kept);
      if (denoising.makes(column, computes[s])) {
        kept = Stream.concat(Stream.of(s), kept.stream()).limit(history).toList();
      }
    }
    return stored;
  }

  /** Pictures of all batches. */
  int pictures() {
    return batches.stream().mapToInt(Batch::pictures).sum();
  }

  /** The geometric mean of the pictures' mean squared differences to the uncached ones. */
  public double error(Routing routing) {
    double mean =
        IntStream.range(0, batches.size())
            .mapToObj(i -> meanSquares(difference(i, routing), batches.get(i).pictures()))
            .flatMapToDouble(Arrays::stream)
            .map(Math::log)
            .average()
            .orElseThrow();
    return Math.exp(mean);
  }

  public Rated rate(Routing routing) {
    return new Rated(routing, error(routing));
  }

  private float[] difference(int batch, Routing routing) {
    try (Walk walk = Walk.start(denoising, batches.get(batch), history, 0)) {
      denoising.finish(walk, step -> routing.route(denoising.ops(), step));
      return difference(batch, walk.x());
    }
  }

  /** The difference of a batch's results to the uncached ones. */
  float[] difference(int batch, float[] results) {
    return minus(pictures(batches.get(batch), results), uncached.get(batch));
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
