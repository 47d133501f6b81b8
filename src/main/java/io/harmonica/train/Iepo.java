package io.harmonica.train;

import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.Arrays;
import java.util.function.Function;

/**
 * The image error proxy (HarmoniCa's IEPO, arXiv 2410.01723): how much step s matters for the
 * picture, {@code lambda_s = ||x0 - x0^(s)||_F^2}, where x0 comes from the routed trajectory and
 * x0^(s) from the one with caching disabled at step s.
 *
 * <p>Both are the same before step s. So the routed trajectory forks there: T (T + 1) / 2 passes
 * instead of the T^2 of T whole trajectories, and never more than two caches.
 */
final class Iepo {
  private final Denoising denoising;
  private final SoftRouting routing;

  Iepo(Denoising denoising, SoftRouting routing) {
    this.denoising = denoising;
    this.routing = routing;
  }

  /** The weight of each step's error; 0 for step 0, which has none. */
  float[] lambda(TrainOptions.Lambda kind, Table table, Batch batch) {
    int steps = denoising.steps();
    float[] lambda = new float[steps];
    if (kind == TrainOptions.Lambda.NONE) {
      Arrays.fill(lambda, 1, steps, 1);
      return lambda;
    }
    boolean cumulative = kind == TrainOptions.Lambda.REFERENCE;
    Function<Walk, Substitute> routed =
        kind == TrainOptions.Lambda.PAPER_HARD
            ? walk -> routing.hard(walk, table)
            : walk -> routing.soft(walk, table);
    float[][] results = new float[steps + 1][]; // of the forks at each step; last, of none
    try (Walk walk = Walk.start(denoising, batch, routing.history(), 0)) {
      for (int s = 0; s < steps; s++) {
        if (s > 0) {
          results[s] = forked(walk, routed, cumulative ? steps : s);
        }
        denoising.advance(walk, routed);
      }
      results[steps] = walk.x();
    }
    for (int s = 1; s < steps; s++) {
      // The reference disables caching from s on, and compares with disabling it from s + 1 on.
      lambda[s] =
          cumulative
              ? (float) (squares(results[s + 1], results[s], 1) / results[s].length)
              : (float) squares(results[steps], results[s], batch.copies());
    }
    return lambda;
  }

  /** The result with caching disabled from here to the step {@code last}, both included. */
  private float[] forked(Walk walk, Function<Walk, Substitute> routed, int last) {
    try (Walk fork = walk.fork()) {
      while (!fork.done()) {
        denoising.advance(fork, fork.step() <= last ? Substitute::disabled : routed);
      }
      return fork.x();
    }
  }

  /** Sum of squared differences over the first part of the values. */
  private static double squares(float[] a, float[] b, int parts) {
    double sum = 0;
    for (int i = 0; i < a.length / parts; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return sum;
  }
}
