package io.harmonica.train.search;

import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.search.Routed.Reused;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * From pictures back to the noise: how they move with every column's output at every step, to first
 * order, through the model, the sampler and the cache. Only a learned variance is held as it is
 * ({@code iddpm}): what it does to the noise of the steps is left out.
 *
 * <p>It goes step by step, so that only one step's pass is held for its gradients. A step's
 * prediction moves the picture through all later samples, by the sampler; its stored outputs, where
 * later steps reuse them.
 */
final class Adjoint {
  private final Denoising denoising;
  private final Routed routed;
  private final double[][] propagation; // [step][later step], by the sampler
  private final float[][] slopes; // by step, of the samples that its pass sees
  private final float[][][] stored; // by step and column, of what later steps reuse; or null

  /** Is told the slopes of a column's output at a step, (B, N, D), the last step's first. */
  interface Observer {
    void slopes(int step, int column, float[] slopes);
  }

  private Adjoint(Denoising denoising, Routed routed) {
    this.denoising = denoising;
    this.routed = routed;
    this.propagation = denoising.propagation();
    this.slopes = new float[denoising.steps()][];
    this.stored = new float[denoising.steps()][denoising.columns()][];
  }

  /**
   * Goes back along one direction.
   *
   * @param direction what the pictures' values weigh, (n, C, H, W)
   */
  static void back(Denoising denoising, Routed routed, float[] direction, Observer observer) {
    new Adjoint(denoising, routed).back(direction, observer);
  }

  private void back(float[] direction, Observer observer) {
    int steps = denoising.steps();
    for (int s = steps - 1; s >= 0; s--) {
      float[] ofPrediction = new float[direction.length];
      for (int later = s + 1; later <= steps; later++) {
        add(ofPrediction, later == steps ? direction : slopes[later], propagation[s][later]);
      }
      slopes[s] = pass(s, ofPrediction, observer);
    }
  }

  /** A step's pass forward and back; the slopes of its samples. */
  private float[] pass(int step, float[] ofPrediction, Observer observer) {
    TorchOps ops = denoising.ops();
    Batch batch = routed.batch();
    try (Scope scope = Scope.open()) {
      Value x = denoising.leaf(routed.x()[step], batch); // (n, C, H, W)
      Value[] errors = new Value[denoising.columns()]; // zeros that the outputs are joined with
      List<Value> terms = new ArrayList<>();
      Substitute route =
          (column, computed) -> {
            Reused reused = routed.reused()[step][column];
            long[] shape = routed.shapes()[column];
            errors[column] = ops.leaf(new float[elements(shape)], shape);
            Value output =
                reused == null
                    ? computed.get()
                    : ops.toPrecision(ops.input(reused.output(), shape)); // (B, N, D)
            if (stored[step][column] != null) {
              terms.add(dot(ops.toFloat(output), stored[step][column]));
            }
            return ops.add(output, ops.toPrecision(errors[column]));
          };
      Value prediction = denoising.guided(denoising.begin(step, x, batch.classes()), route);
      Value guided = ops.slice(prediction, 0, 0, batch.pictures());
      Value sum = dot(ops.slice(guided, 1, 0, x.shape()[1]), ofPrediction);
      for (Value term : terms) {
        sum = ops.add(sum, term);
      }
      sum.backward();
      for (int b = 0; b < errors.length; b++) {
        float[] gradient = errors[b].gradient();
        passOn(routed.reused()[step][b], b, gradient);
        observer.slopes(step, b, gradient);
      }
      stored[step] = null; // no earlier step reuses these
      return x.gradient();
    }
  }

  /** To what a reused output was made of. */
  private void passOn(Reused reused, int column, float[] gradient) {
    for (int j = 0; reused != null && j < reused.weights().length; j++) {
      int source = reused.steps().get(j);
      if (stored[source][column] == null) {
        stored[source][column] = new float[gradient.length];
      }
      add(stored[source][column], gradient, reused.weights()[j]);
    }
  }

  private Value dot(Value value, float[] weights) {
    TorchOps ops = denoising.ops();
    return ops.sum(ops.mul(value, ops.input(weights, value.shape())));
  }

  private static void add(float[] to, float[] other, double weight) {
    for (int i = 0; i < to.length; i++) {
      to[i] += (float) weight * other[i];
    }
  }

  private static int elements(long[] shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }
}
