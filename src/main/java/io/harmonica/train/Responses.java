package io.harmonica.train;

import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.Measure.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * No paper: how the pictures that a table makes move, to first order, with any branch's output at
 * any step; by the adjoint method.
 *
 * <p>A sample looks at one picture along a random direction {@code v} of signs; for any difference
 * D of pictures {@code (v . D)^2} is {@code ||D||^2} in the mean. One backward pass through the
 * whole routed trajectory, step by step and through the cache, gives {@code g = d(v . picture) / d
 * output} for each step and branch. All that is kept are the products {@code g . f_j} with what the
 * branch would compute at this and earlier steps: they tell what another output there, computed or
 * any weighted sum of earlier ones, does to the picture.
 */
final class Responses {
  private final float[][][][] products; // [branch][step][step of the output][sample]
  private final double[] differences; // [sample]
  private final int samples;

  private Responses(int branches, int steps, int samples) {
    this.samples = samples;
    differences = new double[samples];
    products = new float[branches][steps][][];
    for (float[][][] branch : products) {
      for (int s = 0; s < steps; s++) {
        branch[s] = new float[s + 1][samples];
      }
    }
  }

  /**
   * Of a measure's pictures, sample by sample: the pictures in turn, each by all probes.
   *
   * @param probes directions a picture, in [1, ...)
   * @param each told when a batch is through one probe
   */
  static Responses of(Measure measure, Routing routing, int probes, long seed, Runnable each) {
    Denoising denoising = measure.denoising();
    int pictures = measure.pictures();
    var responses = new Responses(denoising.branches(), denoising.steps(), pictures * probes);
    double[][] propagation = denoising.propagation();
    var random = new SplittableRandom(seed);
    int first = 0;
    for (int i = 0; i < measure.batches().size(); i++) {
      Trajectory routed =
          Trajectory.of(denoising, measure.batches().get(i), measure.history(), routing);
      float[] difference = measure.difference(i, routed.pictures());
      for (int p = 0; p < probes; p++) {
        float[] direction = signs(random, difference.length);
        responses.look(difference, direction, routed.batch(), first + p, probes);
        responses.probe(denoising, routed, propagation, direction, first + p, probes);
        each.run();
      }
      first += routed.batch().pictures() * probes;
    }
    return responses;
  }

  int samples() {
    return samples;
  }

  /**
   * The differences of the table's pictures to the uncached ones, along the samples' directions.
   */
  double[] differences() {
    return differences.clone();
  }

  /**
   * Adds what an output does to all samples.
   *
   * @param to by sample
   * @param of the step whose output it is, at this step or an earlier one
   */
  void add(double[] to, int step, int branch, int of, double weight) {
    float[] products = this.products[branch][step][of];
    for (int q = 0; q < samples; q++) {
      to[q] += weight * products[q];
    }
  }

  private void look(float[] difference, float[] direction, Batch batch, int sample, int stride) {
    int size = difference.length / batch.pictures();
    for (int i = 0; i < difference.length; i++) {
      differences[sample + i / size * stride] += difference[i] * direction[i];
    }
  }

  /** From the picture back to the noise, along one direction for each picture. */
  private void probe(
      Denoising denoising,
      Trajectory routed,
      double[][] propagation,
      float[] direction,
      int sample,
      int stride) {
    int steps = denoising.steps();
    float[][] slopes = new float[steps][]; // of v . picture, by the samples that a step's pass sees
    float[][][] stored = new float[steps][denoising.branches()][]; // by what is stored; or null
    for (int s = steps - 1; s >= 0; s--) {
      float[] slope = new float[direction.length]; // by the step's prediction
      for (int later = s + 1; later <= steps; later++) {
        add(slope, later == steps ? direction : slopes[later], propagation[s][later]);
      }
      slopes[s] = pass(denoising, routed, s, slope, stored, sample, stride);
    }
  }

  /** One step back; keeps the products with its branches' outputs. */
  private float[] pass(
      Denoising denoising,
      Trajectory routed,
      int step,
      float[] slope,
      float[][][] stored,
      int sample,
      int stride) {
    TorchOps ops = denoising.ops();
    Batch batch = routed.batch();
    try (Scope scope = Scope.open()) {
      Value x = denoising.leaf(routed.x()[step], batch); // (n, C, H, W)
      Value[] moved = new Value[denoising.branches()];
      List<Value> sums = new ArrayList<>();
      Denoising.Route route =
          (branch, computed) -> {
            Source source = routed.sources()[step][branch];
            float[] kept = stored[step][branch];
            Value output;
            if (source == null) {
              output = computed.get(); // (B, N, D)
              if (kept != null) { // later steps read it
                sums.add(ops.sum(ops.mul(ops.toFloat(output), ops.input(kept, output.shape()))));
              }
              moved[branch] = ops.leaf(new float[elements(output)], output.shape());
              return ops.add(output, ops.toPrecision(moved[branch]));
            }
            moved[branch] = ops.leaf(source.output(), routed.shape());
            return ops.toPrecision(moved[branch]);
          };
      Value prediction = denoising.guided(denoising.embed(step, x, batch.classes()), route);
      Value epsilon = ops.slice(prediction, 0, 0, batch.pictures());
      epsilon = ops.slice(epsilon, 1, 0, x.shape()[1]); // without a learned variance
      Value sum = ops.sum(ops.mul(epsilon, ops.input(slope, x.shape())));
      for (Value more : sums) {
        sum = ops.add(sum, more);
      }
      sum.backward();
      for (int b = 0; b < moved.length; b++) {
        float[] gradient = moved[b].gradient();
        keep(gradient, routed, step, b, sample, stride);
        Source source = routed.sources()[step][b];
        for (int j = 0; source != null && j < source.weights().length; j++) {
          int of = source.steps().get(j);
          if (stored[of][b] == null) {
            stored[of][b] = new float[gradient.length];
          }
          add(stored[of][b], gradient, source.weights()[j]);
        }
      }
      return x.gradient();
    }
  }

  private void keep(
      float[] gradient, Trajectory routed, int step, int branch, int sample, int stride) {
    int n = routed.batch().pictures();
    int rows = n * routed.batch().copies(); // with guidance a picture has two
    int size = gradient.length / rows;
    for (int of = 0; of <= step; of++) {
      float[] output = routed.computed()[of][branch];
      float[] to = products[branch][step][of];
      for (int row = 0; row < rows; row++) {
        float dot = 0;
        for (int i = row * size; i < (row + 1) * size; i++) {
          dot += gradient[i] * output[i];
        }
        to[sample + row % n * stride] += dot;
      }
    }
  }

  private static void add(float[] to, float[] other, double weight) {
    for (int i = 0; i < to.length; i++) {
      to[i] += (float) weight * other[i];
    }
  }

  private static int elements(Value value) {
    return Math.toIntExact(Arrays.stream(value.shape()).reduce(1, Math::multiplyExact));
  }

  private static float[] signs(SplittableRandom random, int count) {
    float[] signs = new float[count];
    for (int i = 0; i < count; i++) {
      signs[i] = random.nextBoolean() ? 1 : -1;
    }
    return signs;
  }

  /** What a reused output, (B, N, D), was made of. */
  private record Source(float[] output, List<Integer> steps, double[] weights) {}

  /**
   * Pictures on their way through a table.
   *
   * @param x by step, the samples before it
   * @param computed by step and branch, the output that is computed, or would be
   * @param sources by step and branch; null where it is computed
   * @param shape of an output
   */
  private record Trajectory(
      Batch batch,
      float[][] x,
      float[][][] computed,
      Source[][] sources,
      long[] shape,
      float[] pictures) {

    static Trajectory of(Denoising denoising, Batch batch, int history, Routing routing) {
      int steps = denoising.steps();
      float[][] x = new float[steps][];
      float[][][] computed = new float[steps][denoising.branches()][];
      Source[][] sources = new Source[steps][denoising.branches()];
      long[][] shape = new long[1][];
      try (Walk walk = Walk.start(denoising, batch, history, 0)) {
        while (!walk.done()) {
          int s = walk.step();
          x[s] = walk.x().clone();
          try (Scope scope = Scope.withoutGradients()) {
            boolean[] computes = routing.computes()[s];
            Denoising.Route hard = Routes.hard(denoising.ops(), walk, computes, routing.weights());
            Denoising.Route route =
                (branch, compute) -> {
                  Value own = compute.get();
                  computed[s][branch] = own.floats();
                  shape[0] = own.shape();
                  List<Integer> stored = walk.cache().steps(branch);
                  Value output = hard.output(branch, () -> own);
                  if (!computes[branch]) {
                    double[] weights = routing.weights().of(s, branch, stored);
                    sources[s][branch] = new Source(output.floats(), stored, weights);
                  }
                  return output;
                };
            walk.advance(denoising.guided(denoising.embed(walk), route).floats());
          }
        }
        return new Trajectory(batch, x, computed, sources, shape[0], walk.x());
      }
    }
  }
}
