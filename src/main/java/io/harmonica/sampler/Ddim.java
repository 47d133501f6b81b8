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
    double sigma = sigma(step);
    // x0 = (x - sqrt(1 - a) e) / sqrt(a);  x' = sqrt(a') x0 + sqrt(1 - a' - sigma^2) e + sigma z
    double ofX = Math.sqrt(next / signal);
    double ofEpsilon =
        Math.sqrt(1 - next - sigma * sigma) - Math.sqrt(next * (1 - signal) / signal);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (ofX * x[i] + ofEpsilon * epsilon[i]);
    }
    if (sigma > 0) {
      for (int i = 0; i < x.length; i++) {
        x[i] += (float) (sigma * noise[i]);
      }
    }
  }

  private double sigma(int step) {
    double signal = schedule.alphaBar()[timesteps.get(step)];
    double next = schedule.next(timesteps, step, spacing);
    return eta * Math.sqrt((1 - next) / (1 - signal) * (1 - signal / next));
  }
}
