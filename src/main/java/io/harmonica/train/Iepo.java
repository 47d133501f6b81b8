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
 *
 * <p>This lambda grows with the very error that it weighs: a step that errs little counts little
 * twice over. {@link TrainOptions.Lambda#GAIN} divides it by the step's MSE between the two, so
 * that {@code lambda_s MSE_s} is, to first order, what the step adds to the picture's error. It is
 * the geometric mean over pictures: one whose content turns over would else speak for all.
 */
final class Iepo {
  private final Denoising denoising;
  private final SoftRouting routing;

  Iepo(Denoising denoising, SoftRouting routing) {
    this.denoising = denoising;
    this.routing = routing;
  }

  /**
   * A trajectory's end, and how it went on from the fork.
   *
   * @param x its samples, [B, C, H, W]
   * @param prediction of the step that it forked at
   */
  private record Fork(float[] x, float[] prediction) {}

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
    double[][] errors = new double[steps][]; // of each step's routed prediction, by picture
    try (Walk walk = Walk.start(denoising, batch, routing.history(), 0)) {
      denoising.advance(walk, routed);
      for (int s = 1; s < steps; s++) {
        Fork fork = forked(walk, routed, cumulative ? steps : s);
        float[] prediction = denoising.advance(walk, routed);
        results[s] = fork.x;
        errors[s] = byPicture(prediction, fork.prediction, batch, batch.copies());
      }
      results[steps] = walk.x();
    }
    for (int s = 1; s < steps; s++) {
      lambda[s] =
          (float)
              switch (kind) {
                case GAIN -> gain(byPicture(results[steps], results[s], batch, 1), errors[s]);
                // disabled from s on against from s + 1 on, as the reference compares them
                case REFERENCE -> squares(results[s + 1], results[s], 1) / results[s].length;
                default -> squares(results[steps], results[s], batch.copies());
              };
    }
    return lambda;
  }

  /**
   * The geometric mean of what an error of 1 in the prediction does to a picture, 0 where it does
   * nothing.
   *
   * @param pictures mean squared differences of each picture's values
   * @param predictions the same of its prediction's
   */
  private static double gain(double[] pictures, double[] predictions) {
    double logs = 0;
    for (int i = 0; i < pictures.length; i++) {
      logs += Math.log(pictures[i] / predictions[i]);
    }
    double gain = Math.exp(logs / pictures.length);
    return Double.isFinite(gain) ? gain : 0;
  }

  /** Goes on with caching disabled from here to the step {@code last}, both included. */
  private Fork forked(Walk walk, Function<Walk, Substitute> routed, int last) {
    try (Walk fork = walk.fork()) {
      float[] prediction = denoising.advance(fork, Substitute::disabled);
      denoising.finish(fork, at -> at.step() <= last ? Substitute.disabled(at) : routed.apply(at));
      return new Fork(fork.x(), prediction);
    }
  }

  /** Mean squared difference of each picture, over the first so many of its copies. */
  private static double[] byPicture(float[] a, float[] b, Batch batch, int copies) {
    double[] means = new double[batch.pictures()];
    int size = a.length / (batch.pictures() * batch.copies()); // of a row
    for (int i = 0; i < size * batch.pictures() * copies; i++) {
      double difference = (double) a[i] - b[i];
      means[i / size % batch.pictures()] += difference * difference / (size * copies);
    }
    return means;
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
