package io.harmonica.sampler;

/**
 * A step without memory and fresh noise, as four numbers: {@code x0 = (x - noise * e) / signal},
 * then {@code x = next * x0 + direction * e} for the model's output e. So a server can make it.
 *
 * <p>That is a step on predicted noise; one on another output fits with noise 0 and signal 1.
 */
public record Update(float noise, float signal, float next, float direction) {

  /** Of a step {@code x = ofX * x + ofOutput * e}. */
  static Update of(double ofX, double ofOutput) {
    return new Update(0, 1, (float) ofX, (float) ofOutput);
  }
}
