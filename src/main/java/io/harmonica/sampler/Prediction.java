package io.harmonica.sampler;

/**
 * What a model predicts for samples, after guidance. A step only reads it, and keeps nothing of it.
 *
 * @param output what {@link Predicts} says: the noise in them, the picture, or the velocity; as
 *     many values as samples
 * @param variance the learned variance, as many: -1 is the smallest that a step may have, 1 the
 *     largest; read only if {@link Sampler#needsVariance}, else it may be null
 */
public record Prediction(float[] output, float[] variance) {

  /** A prediction without a learned variance. */
  public static Prediction of(float[] output) {
    return new Prediction(output, null);
  }
}
