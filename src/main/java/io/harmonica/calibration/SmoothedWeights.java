package io.harmonica.calibration;

import io.harmonica.model.ChangedWeights;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import java.util.Optional;

/**
 * A model's parameters with a {@link Smoothing}'s factors in them: maps that read a smoothed tensor
 * divide by what it is multiplied by, and those that make it multiply.
 */
record SmoothedWeights(Smoothing smoothing, Weights exact) implements ChangedWeights {
  @Override
  public void require(String name, long... shape) {
    if (smoothing.factored(name).isEmpty()) {
      exact.require(name, shape);
    }
  }

  @Override
  public float[] read(String name, long... shape) {
    Optional<Site> factored = smoothing.factored(name);
    if (factored.isPresent()) { // a layer norm's
      return name.endsWith(".bias") ? new float[(int) shape[0]] : smoothing.factor(factored.get());
    }
    float[] values = exact.read(name, shape).clone();
    smoothing.site(name).ifPresent(read -> divideColumns(values, smoothing.factor(read)));
    smoothing.made(name).ifPresent(made -> multiplyRows(values, smoothing.factor(made)));
    return values;
  }

  private static void divideColumns(float[] values, float[] factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] /= factor[i % factor.length];
    }
  }

  private static void multiplyRows(float[] values, float[] factor) {
    int row = values.length / factor.length;
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor[i / row];
    }
  }
}
