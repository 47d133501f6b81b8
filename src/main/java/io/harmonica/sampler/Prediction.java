package io.harmonica.sampler;

/**
 * What a model predicts for samples, after guidance. A step only reads it, and keeps nothing of it.
 *
 * @param epsilon the noise in them, as many values as samples
 * @param variance the learned variance, as many: -1 is the smallest that a step may have, 1 the
 *     largest; read only if {@link Sampler#needsVariance}, else it may be null
 */
public record Prediction(float[] epsilon, float[] variance) {

  /** A prediction without a learned variance. */
  public static Prediction of(float[] epsilon) {
    return new Prediction(epsilon, null);
  }
}
