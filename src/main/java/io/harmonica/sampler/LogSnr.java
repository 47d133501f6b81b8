package io.harmonica.sampler;

import io.harmonica.Timesteps;

/**
 * The points that a solver visits, the end included: {@code x = alpha x0 + sigma epsilon}, and
 * {@code lambda = ln(alpha / sigma)}, in which solvers integrate. In fp32, as diffusers has them.
 */
record LogSnr(float[] alpha, float[] sigma, float[] lambda) {

  /**
   * The points of timesteps and the end.
   *
   * @param end {@code sigma / alpha} after the last step
   */
  static LogSnr of(Timesteps timesteps, NoiseSchedule schedule, float end) {
    int steps = timesteps.size();
    LogSnr points = new LogSnr(new float[steps + 1], new float[steps + 1], new float[steps + 1]);
    for (int i = 0; i <= steps; i++) {
      float ratio = i == steps ? end : ratio(schedule.at(timesteps, i));
      points.alpha[i] = 1 / (float) Math.sqrt(ratio * ratio + 1);
      points.sigma[i] = ratio * points.alpha[i];
      points.lambda[i] = (float) Math.log(points.alpha[i]) - (float) Math.log(points.sigma[i]);
    }
    return points;
  }

  /** {@code sigma / alpha} of a signal share. */
  static float ratio(double share) {
    float signal = (float) share;
    return (float) Math.sqrt((1 - signal) / signal);
  }

  /** The pictures that a model's outputs at a point mean. */
  float[] x0(int point, float[] x, float[] output, Predicts predicts) {
    float[] x0 = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      x0[i] = predicts.picture(alpha[point], sigma[point], x[i], output[i]);
    }
    return x0;
  }
}
