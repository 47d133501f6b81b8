package io.harmonica.sampler;

/**
 * How much SA-Solver takes of the predicted pictures, newest first (arXiv 2309.05019, equations 15
 * and 18): the line through them, integrated under {@code e^(T lambda)} with {@code T = 1 + tau^2}
 * over a step.
 *
 * <p>Second order has the correction of third that SA-Solver's own code and diffusers add for few
 * steps.
 */
final class AdamsWeights {
  private AdamsWeights() {}

  /**
   * Over the step at {@code i}, from the pictures at {@code i} and, in second order, {@code i - 1}.
   */
  static float[] predictor(float[] lambda, int i, int tau, boolean second) {
    int t = 1 + tau * tau;
    if (!second) {
      return new float[] {constant(lambda[i], lambda[i + 1], t)};
    }
    float h = lambda[i + 1] - lambda[i];
    float correction =
        exp(t * lambda[i + 1])
            * (h * h / 2 - (h * t - 1 + exp(t * -h)) / (t * t))
            / (lambda[i] - lambda[i - 1]);
    return line(lambda[i], lambda[i - 1], lambda[i], lambda[i + 1], t, correction);
  }

  /** Over the step before {@code i}, from the pictures at both of its ends. */
  static float[] corrector(float[] lambda, int i, int tau) {
    int t = 1 + tau * tau;
    float h = lambda[i] - lambda[i - 1];
    float correction = exp(t * lambda[i]) * (h / 2 - (h * t - 1 + exp(t * -h)) / (t * t * h));
    return line(lambda[i], lambda[i - 1], lambda[i - 1], lambda[i], t, correction);
  }

  /** The weights of values at {@code newer} and {@code older}, integrated from start to end. */
  private static float[] line(
      float newer, float older, float start, float end, int t, float correction) {
    float linear = linear(start, end, t);
    float constant = constant(start, end, t);
    return new float[] {
      1 / (newer - older) * linear + -older / (newer - older) * constant + correction,
      1 / (older - newer) * linear + -newer / (older - newer) * constant - correction
    };
  }

  /** The integral of {@code e^(t u) du}. */
  private static float constant(float start, float end, int t) {
    return exp(t * end) * (1 - exp(-(t * end - t * start))) / t;
  }

  /** The integral of {@code e^(t u) u du}. */
  private static float linear(float start, float end, int t) {
    float from = t * start;
    float to = t * end;
    return exp(to) * (to - 1 - (from - 1) * exp(-(to - from))) / (t * t);
  }

  private static float exp(float x) {
    return (float) Math.exp(x);
  }
}
