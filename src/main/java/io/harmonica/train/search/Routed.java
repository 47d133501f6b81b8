package io.harmonica.train.search;

import io.harmonica.torch.Value;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.List;

/**
 * Pictures on their way through a table, with all that {@link Adjoint} needs to go back.
 *
 * @param x by step, the samples before it
 * @param computed by step and column, the output that is computed, or would be
 * @param reused by step and column; null where it is computed
 * @param shapes of each column's output, (B, N, D) as a rule
 * @param results the samples after the last step
 */
public record Routed(
    Batch batch,
    float[][] x,
    float[][][] computed,
    Reused[][] reused,
    long[][] shapes,
    float[] results) {

  /** A reused output, and the steps that it is the weighted sum of. */
  public record Reused(float[] output, List<Integer> steps, double[] weights) {}

  /**
   * Routes a batch as inference does.
   *
   * @param history how many outputs of a column are kept
   */
  public static Routed of(Denoising denoising, Batch batch, int history, Routing routing) {
    float[][] x = new float[denoising.steps()][];
    float[][][] computed = new float[denoising.steps()][denoising.columns()][];
    Reused[][] reused = new Reused[denoising.steps()][denoising.columns()];
    long[][] shapes = new long[denoising.columns()][];
    try (Walk walk = Walk.start(denoising, batch, history, 0)) {
      denoising.finish(
          walk,
          at -> {
            int s = at.step();
            x[s] = at.x().clone();
            Substitute route = routing.route(denoising.ops(), at);
            return (column, compute) -> {
              Value own = compute.get();
              shapes[column] = own.shape();
              computed[s][column] = own.floats();
              List<Integer> stored = at.cache().steps(column);
              Value output = route.output(column, () -> own);
              if (!routing.computes()[s][column]) {
                double[] weights = routing.weights().of(s, column, stored);
                float[] values =
                    weights.length == 1 && weights[0] == 1
                        ? computed[stored.get(0)][column] // held already
                        : output.floats();
                reused[s][column] = new Reused(values, stored, weights);
              }
              return output;
            };
          });
      return new Routed(batch, x, computed, reused, shapes, walk.x());
    }
  }
}
