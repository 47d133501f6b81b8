package io.harmonica.sampler;

import io.harmonica.Timesteps;

/**
 * SA-Solver (Xue et al., "SA-Solver: Stochastic Adams Solver for Fast Sampling of Diffusion
 * Models", arXiv 2309.05019, algorithm 1): a predictor and a corrector of second order.
 *
 * <p>As diffusers' {@code SASolverScheduler} has it by default, in its order and fp32: noise comes
 * in at timesteps 200 to 800 only, and a trace of it is left after the last step. A step first
 * corrects the sample with the new prediction, then predicts the next one from it.
 */
record SaSolver(Timesteps timesteps, LogSnr points, Predicts predicts) implements Sampler {
  private static final int NOISE_FROM = 200;
  private static final int NOISE_TO = 800;

  static SaSolver of(Timesteps timesteps, NoiseSchedule schedule, Predicts predicts) {
    float end = LogSnr.ratio(schedule.alphaBar()[0]);
    return new SaSolver(timesteps, LogSnr.of(timesteps, schedule, end), predicts);
  }

  @Override
  public boolean needsNoise(int step) {
    return timesteps.get(step) >= NOISE_FROM && timesteps.get(step) <= NOISE_TO;
  }

  @Override
  public Stepper start() {
    return new Steps(new InOrder(), null);
  }

  /** What a step leaves behind: its corrected sample, its predicted picture, its noise. */
  private record Last(float[] corrected, float[] x0, float[] noise) {}

  /** Remembers the last step. */
  private final class Steps implements Stepper {
    private final InOrder order;
    private Last last;

    Steps(InOrder order, Last last) {
      this.order = order;
      this.last = last;
    }

    @Override
    public void step(int step, float[] x, Prediction prediction, float[] noise) {
      order.require(step);
      float[] x0 = points.x0(step, x, prediction.output(), predicts);
      float[] previous = last == null ? null : last.x0;
      if (last != null) {
        float[] weights = AdamsWeights.corrector(points.lambda(), step, tau(step - 1));
        advance(step - 1, last.corrected, weights, x0, previous, last.noise, x);
      }
      float[] corrected = x.clone();
      boolean second = last != null && step + 1 < timesteps.size();
      float[] weights = AdamsWeights.predictor(points.lambda(), step, tau(step), second);
      advance(step, corrected, weights, x0, previous, noise, x);
      last = new Last(corrected, x0, needsNoise(step) ? noise.clone() : null);
    }

    @Override
    public Stepper fork() {
      return new Steps(order.fork(), last);
    }
  }

  /** From the point of a step to the next: {@code to = decay from + sum of pictures + noise}. */
  private void advance(
      int step,
      float[] from,
      float[] weights,
      float[] newer,
      float[] older,
      float[] noise,
      float[] to) {
    int tau2 = tau(step) * tau(step);
    float h = points.lambda()[step + 1] - points.lambda()[step];
    float sigma = points.sigma()[step + 1];
    float ofX = exp(-tau2 * h) * (sigma / points.sigma()[step]);
    float ofPictures = (1 + tau2) * sigma * exp(-tau2 * points.lambda()[step + 1]);
    float ofNoise = sigma * (float) Math.sqrt(1 - exp(-2 * tau2 * h));
    for (int i = 0; i < to.length; i++) {
      float pictures = ofPictures * weights[0] * newer[i];
      if (weights.length > 1) {
        pictures += ofPictures * weights[1] * older[i];
      }
      to[i] = ofX * from[i] + pictures;
      if (tau2 > 0) {
        to[i] += ofNoise * noise[i];
      }
    }
  }

  private int tau(int step) {
    return needsNoise(step) ? 1 : 0;
  }

  private static float exp(float x) {
    return (float) Math.exp(x);
  }
}
