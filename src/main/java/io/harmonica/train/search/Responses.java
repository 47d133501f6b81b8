package io.harmonica.train.search;

import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * No paper: what other outputs, of any column at any step, would do to the pictures that a table
 * makes, to first order.
 *
 * <p>A sample looks at one picture along a random direction {@code v} of signs; for any difference
 * D of pictures {@code (v . D)^2} is {@code ||D||^2} in the mean. {@link Adjoint} gives {@code g =
 * d(v . picture) / d output} for each step and column. All that is kept are the products {@code g .
 * f_j} with what the column would compute at this and earlier steps: they tell of any output that
 * is computed, or the weighted sum of earlier ones.
 *
 * <p>D's own direction, along which the change of {@code ||D||^2} is known exactly, was tried as
 * the first: tables then fit these few pictures too well, and others worse.
 */
final class Responses {
  private final float[][][][] products; // [column][step][step of the output][sample]
  private final double[] differences; // [sample]
  private final double[] scales; // [sample]

  private Responses(int columns, int steps, int samples) {
    differences = new double[samples];
    scales = new double[samples];
    products = new float[columns][steps][][];
    for (float[][][] column : products) {
      for (int s = 0; s < steps; s++) {
        column[s] = new float[s + 1][samples];
      }
    }
  }

  /**
   * Of a measure's pictures, sample by sample: the pictures in turn, each by all probes.
   *
   * @param probes directions a picture, from 1
   * @param each told when a batch is through one probe
   */
  static Responses of(Measure measure, Routing routing, int probes, long seed, Runnable each) {
    Denoising denoising = measure.denoising();
    int samples = measure.pictures() * probes;
    var responses = new Responses(denoising.columns(), denoising.steps(), samples);
    var random = new SplittableRandom(seed);
    int first = 0;
    for (int i = 0; i < measure.batches().size(); i++) {
      Batch batch = measure.batches().get(i);
      Routed routed = Routed.of(denoising, batch, measure.history(), routing);
      float[] difference = measure.difference(i, routed.results());
      float[][] directions = directions(random, probes, difference.length);
      for (int p = 0; p < probes; p++) {
        int[] at = new int[batch.pictures()]; // by picture, its sample
        for (int n = 0; n < at.length; n++) {
          at[n] = first + n * probes + p;
        }
        responses.look(difference, directions[p], at);
        Adjoint.back(
            denoising,
            routed,
            directions[p],
            (step, column, slopes) -> responses.keep(routed, step, column, slopes, at));
        each.run();
      }
      first += batch.pictures() * probes;
    }
    return responses;
  }

  int samples() {
    return differences.length;
  }

  /**
   * The differences of the table's pictures to the uncached ones, along the samples' directions.
   */
  double[] differences() {
    return differences.clone();
  }

  /**
   * What a sample's square counts in the sum over all: its picture's squared difference is 1 at the
   * start, but for a common factor.
   */
  double[] scales() {
    return scales.clone();
  }

  /**
   * Adds what an output does to all samples.
   *
   * @param to by sample
   * @param of the step whose output it is, at this step or an earlier one
   */
  void add(double[] to, int step, int column, int of, double weight) {
    float[] bySample = products[column][step][of];
    for (int q = 0; q < to.length; q++) {
      to[q] += weight * bySample[q];
    }
  }

  private void look(float[] difference, float[] direction, int[] at) {
    double[] squares = Measure.meanSquares(difference, at.length);
    for (int n = 0; n < at.length; n++) {
      scales[at[n]] = 1 / squares[n];
    }
    int size = difference.length / at.length;
    for (int i = 0; i < difference.length; i++) {
      differences[at[i / size]] += difference[i] * direction[i];
    }
  }

  private void keep(Routed routed, int step, int column, float[] slopes, int[] at) {
    int rows = at.length * routed.batch().copies(); // with guidance a picture has two
    int size = slopes.length / rows;
    IntStream.rangeClosed(0, step)
        .parallel() // quadratic in the steps: on one thread a GPU would wait for it
        .forEach(
            of -> {
              float[] output = routed.computed()[of][column];
              for (int row = 0; row < rows; row++) {
                products[column][step][of][at[row % at.length]] +=
                    dot(slopes, output, row * size, (row + 1) * size);
              }
            });
  }

  /** Over a range; in several sums, which a processor adds to at once. */
  private static float dot(float[] a, float[] b, int from, int to) {
    float[] sums = new float[8];
    int i = from;
    for (; i + sums.length <= to; i += sums.length) {
      for (int lane = 0; lane < sums.length; lane++) {
        sums[lane] += a[i + lane] * b[i + lane];
      }
    }
    float sum = 0;
    for (; i < to; i++) {
      sum += a[i] * b[i];
    }
    for (float lane : sums) {
      sum += lane;
    }
    return sum;
  }

  /** By probe, what the values of a batch's pictures weigh. */
  static float[][] directions(SplittableRandom random, int probes, int size) {
    float[][] directions = new float[probes][size];
    for (float[] direction : directions) {
      for (int i = 0; i < size; i++) {
        direction[i] = random.nextBoolean() ? 1 : -1;
      }
    }
    return directions;
  }
}
