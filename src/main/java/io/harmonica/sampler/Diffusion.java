package io.harmonica.sampler;

/**
 * Noise at whole timesteps, by betas (Ho et al., arXiv 2006.11239): what DiT and PixArt were
 * trained on.
 *
 * @param betaStart the first beta; {@link Betas#COSINE} has none, and ignores it
 * @param betaEnd the last
 */
public record Diffusion(
    int trainTimesteps, Betas betas, double betaStart, double betaEnd, Predicts predicts)
    implements Noising {

  /** What DiT and PixArt were trained on (Ho et al., arXiv 2006.11239). */
  public static final Diffusion DDPM =
      new Diffusion(1000, Betas.LINEAR, 1e-4, 0.02, Predicts.NOISE);

  /** The signal shares, as the origin of a spacing computes them. */
  public NoiseSchedule schedule(Spacing spacing) {
    return NoiseSchedule.of(this, spacing.origin());
  }

  @Override
  public Sampler sampler(String name, int steps, Spacing spacing) {
    return Sampler.of(name, steps, spacing, this);
  }
}
