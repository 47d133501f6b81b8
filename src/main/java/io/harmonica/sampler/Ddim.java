package io.harmonica.sampler;

import java.util.List;

/**
 * DDIM (Song et al., "Denoising Diffusion Implicit Models", arXiv 2010.02502, equation 12).
 *
 * @param eta 0 is deterministic, 1 as noisy as DDPM
 */
record Ddim(List<Integer> timesteps, Spacing spacing, NoiseSchedule schedule, double eta)
    implements Sampler {

  @Override
  public boolean needsNoise(int step) {
    return sigma(step) > 0;
  }

  @Override
  public void step(int step, float[] x, float[] epsilon, float[] noise) {
    double signal = schedule.alphaBar()[timesteps.get(step)];
    double next = schedule.next(timesteps, step, spacing);
    float sigma = (float) sigma(step);
    // In fp32 and in the reference's order, as x grows large where a model denoises poorly.
    float signalRoot = (float) Math.sqrt(signal);
    float noiseRoot = (float) Math.sqrt(1 - signal);
    float nextRoot = (float) Math.sqrt(next);
    float direction = (float) Math.sqrt(1 - next - (double) sigma * sigma);
    for (int i = 0; i < x.length; i++) {
      float x0 = (x[i] - noiseRoot * epsilon[i]) / signalRoot;
      x[i] = nextRoot * x0 + direction * epsilon[i];
    }
    if (sigma > 0) {
      for (int i = 0; i < x.length; i++) {
        x[i] += sigma * noise[i];
      }
    }
  }

  private double sigma(int step) {
    double signal = schedule.alphaBar()[timesteps.get(step)];
    double next = schedule.next(timesteps, step, spacing);
    return eta * Math.sqrt((1 - next) / (1 - signal) * (1 - signal / next));
  }
}
