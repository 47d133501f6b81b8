package io.harmonica.sampler;

import io.harmonica.Timesteps;

/**
 * The cumulative signal share at each training timestep (Ho et al., arXiv 2006.11239).
 *
 * @param alphaBar {@code alphaBar[t] = prod_{u <= t} (1 - beta_u)}
 */
public record NoiseSchedule(double[] alphaBar) {

  /** The table as its origin computes it: diffusers in fp32, OpenAI in fp64. */
  static NoiseSchedule of(Diffusion diffusion, Spacing.Origin origin) {
    int timesteps = diffusion.trainTimesteps();
    double start = diffusion.betaStart();
    double end = diffusion.betaEnd();
    double[] alphaBar = new double[timesteps];
    double product = 1;
    for (int t = 0; t < timesteps; t++) {
      if (origin == Spacing.Origin.OPENAI) {
        product *= 1 - diffusion.betas().beta(t, timesteps, start, end);
        alphaBar[t] = product;
      } else {
        float alpha = 1f - diffusion.betas().betaAsDiffusers(t, timesteps, start, end);
        // torch multiplies in fp64. Linear betas never did here, and pictures stay as they are.
        product = diffusion.betas() == Betas.LINEAR ? (float) product * alpha : product * alpha;
        alphaBar[t] = (float) product;
      }
    }
    return new NoiseSchedule(alphaBar);
  }

  /** The share at a step. */
  public double at(Timesteps timesteps, int step) {
    return alphaBar[(int) timesteps.whole(step)];
  }

  /** The share where a step leads, that of the next timestep in the list; 1 after the last. */
  double next(Timesteps timesteps, int s) {
    return s + 1 == timesteps.size() ? 1 : at(timesteps, s + 1);
  }

  /**
   * The share where a step of diffusers' {@code DDIMScheduler} leads: a fixed stride on, which is
   * the next timestep only with {@link Spacing#LEADING}.
   */
  double nextByStride(Timesteps timesteps, int s) {
    int next = (int) timesteps.whole(s) - alphaBar.length / timesteps.size();
    return next < 0 ? 1 : alphaBar[next];
  }
}
