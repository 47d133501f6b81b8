package io.harmonica.sampler;

import io.harmonica.Timesteps;

/**
 * IDDPM (Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", arXiv
 * 2102.09672, equation 15): ancestral sampling with the variance that the model learned.
 *
 * <p>In the precision and order of the reference that the spacing comes from: diffusers {@code
 * DDPMScheduler} with {@code variance_type="learned_range"}, or OpenAI's {@code p_sample}.
 */
record Iddpm(Timesteps timesteps, Spacing spacing, NoiseSchedule schedule, Predicts predicts)
    implements Memoryless {

  /**
   * What a step multiplies with: {@code x0 = (x0OfX x - x0OfOutput output) / x0Divisor}, {@code
   * mean = meanOfX0 x0 + meanOfX x}, and the logarithm of the variance between two bounds.
   */
  private record Factors(
      float x0OfX,
      float x0OfOutput,
      float x0Divisor,
      float meanOfX0,
      float meanOfX,
      float minLog,
      float maxLog) {}

  @Override
  public boolean needsNoise(int step) {
    return spacing.origin() == Spacing.Origin.DIFFUSERS
        ? timesteps.get(step) > 0 // even in the last step, where the spacing does not end at 0
        : step + 1 < timesteps.size();
  }

  @Override
  public boolean needsVariance() {
    return true;
  }

  @Override
  public void step(int step, float[] x, Prediction prediction, float[] noise) {
    Factors f = spacing.origin() == Spacing.Origin.DIFFUSERS ? asDiffusers(step) : asOpenAi(step);
    for (int i = 0; i < x.length; i++) {
      float x0 = (f.x0OfX * x[i] - f.x0OfOutput * prediction.output()[i]) / f.x0Divisor;
      x[i] = f.meanOfX0 * x0 + f.meanOfX * x[i];
      if (needsNoise(step)) {
        float share = (prediction.variance()[i] + 1) / 2;
        float logVariance = share * f.maxLog + (1 - share) * f.minLog;
        x[i] += (float) Math.exp(0.5f * logVariance) * noise[i];
      }
    }
  }

  private Factors asDiffusers(int step) {
    float signal = (float) schedule.at(timesteps, step);
    float next = (float) schedule.next(timesteps, step);
    float alpha = signal / next;
    float beta = 1 - alpha;
    float posterior = Math.max((1 - next) / (1 - signal) * beta, 1e-20f);
    float signalRoot = (float) Math.sqrt(signal);
    float noiseRoot = (float) Math.sqrt(1 - signal);
    float meanOfX0 = (float) Math.sqrt(next) * beta / (1 - signal);
    float meanOfX = (float) Math.sqrt(alpha) * (1 - next) / (1 - signal);
    float minLog = (float) Math.log(posterior);
    float maxLog = (float) Math.log(beta);
    return switch (predicts) {
      case NOISE -> new Factors(1, noiseRoot, signalRoot, meanOfX0, meanOfX, minLog, maxLog);
      case PICTURE -> new Factors(0, -1, 1, meanOfX0, meanOfX, minLog, maxLog);
      case VELOCITY -> new Factors(signalRoot, noiseRoot, 1, meanOfX0, meanOfX, minLog, maxLog);
    };
  }

  private Factors asOpenAi(int step) {
    double signal = schedule.at(timesteps, step);
    double next = schedule.next(timesteps, step);
    double beta = 1 - signal / next;
    boolean picture = predicts == Predicts.PICTURE; // a velocity Sampler.of refuses
    return new Factors(
        picture ? 0 : (float) Math.sqrt(1 / signal),
        picture ? -1 : (float) Math.sqrt(1 / signal - 1),
        1,
        (float) (beta * Math.sqrt(next) / (1 - signal)),
        (float) ((1 - next) * Math.sqrt(1 - beta) / (1 - signal)),
        (float) Math.log(beta * (1 - next) / (1 - signal)),
        (float) Math.log(beta));
  }
}
