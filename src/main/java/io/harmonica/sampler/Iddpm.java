package io.harmonica.sampler;

import java.util.List;

/**
 * IDDPM (Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", arXiv
 * 2102.09672, equation 15): ancestral sampling with the variance that the model learned.
 *
 * <p>In the precision and order of the reference that the spacing comes from: diffusers {@code
 * DDPMScheduler} with {@code variance_type="learned_range"}, or OpenAI's {@code p_sample}.
 */
record Iddpm(List<Integer> timesteps, Spacing spacing, NoiseSchedule schedule)
    implements Sampler, Stepper {

  /**
   * What a step multiplies with: {@code x0 = (x0OfX x - x0OfEpsilon epsilon) / x0Divisor}, {@code
   * mean = meanOfX0 x0 + meanOfX x}, and the logarithm of the variance between two bounds.
   */
  private record Factors(
      float x0OfX,
      float x0OfEpsilon,
      float x0Divisor,
      float meanOfX0,
      float meanOfX,
      float minLog,
      float maxLog) {}

  @Override
  public boolean needsNoise(int step) {
    return step + 1 < timesteps.size();
  }

  @Override
  public boolean needsVariance() {
    return true;
  }

  /** Has nothing to remember. */
  @Override
  public Stepper start() {
    return this;
  }

  @Override
  public Stepper fork() {
    return this;
  }

  @Override
  public void step(int step, float[] x, Prediction prediction, float[] noise) {
    Factors f = spacing.origin() == Spacing.Origin.DIFFUSERS ? asDiffusers(step) : asOpenAi(step);
    for (int i = 0; i < x.length; i++) {
      float x0 = (f.x0OfX * x[i] - f.x0OfEpsilon * prediction.epsilon()[i]) / f.x0Divisor;
      x[i] = f.meanOfX0 * x0 + f.meanOfX * x[i];
      if (needsNoise(step)) {
        float share = (prediction.variance()[i] + 1) / 2;
        float logVariance = share * f.maxLog + (1 - share) * f.minLog;
        x[i] += (float) Math.exp(0.5f * logVariance) * noise[i];
      }
    }
  }

  private Factors asDiffusers(int step) {
    float signal = (float) schedule.alphaBar()[timesteps.get(step)];
    float next = (float) schedule.next(timesteps, step, spacing);
    float alpha = signal / next;
    float beta = 1 - alpha;
    float posterior = Math.max((1 - next) / (1 - signal) * beta, 1e-20f);
    return new Factors(
        1,
        (float) Math.sqrt(1 - signal),
        (float) Math.sqrt(signal),
        (float) Math.sqrt(next) * beta / (1 - signal),
        (float) Math.sqrt(alpha) * (1 - next) / (1 - signal),
        (float) Math.log(posterior),
        (float) Math.log(beta));
  }

  private Factors asOpenAi(int step) {
    double signal = schedule.alphaBar()[timesteps.get(step)];
    double next = schedule.next(timesteps, step, spacing);
    double beta = 1 - signal / next;
    return new Factors(
        (float) Math.sqrt(1 / signal),
        (float) Math.sqrt(1 / signal - 1),
        1,
        (float) (beta * Math.sqrt(next) / (1 - signal)),
        (float) ((1 - next) * Math.sqrt(1 - beta) / (1 - signal)),
        (float) Math.log(beta * (1 - next) / (1 - signal)),
        (float) Math.log(beta));
  }
}
