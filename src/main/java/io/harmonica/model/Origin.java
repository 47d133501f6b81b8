package io.harmonica.model;

import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Noising;
import io.harmonica.sampler.Spacing;
import java.util.OptionalDouble;

/**
 * How a model's authors draw with it: what holds where no scheduler file says otherwise.
 *
 * @param noising what it was trained on
 * @param sampler the default, a name of {@link io.harmonica.sampler.Sampler#NAMES}
 * @param spacing how samplers that have none of their own space their timesteps
 * @param guidanceChannels how many channels guidance acts on
 * @param guidance its scale; empty: {@link Unconditional#defaultGuidance}
 * @param latentScale what latents were multiplied by, where the autoencoder's file does not say
 * @param latentShift what was taken from them before that
 */
public record Origin(
    Noising noising,
    String sampler,
    Spacing spacing,
    int guidanceChannels,
    OptionalDouble guidance,
    double latentScale,
    double latentShift) {

  /** Of the autoencoders of latent diffusion (arXiv 2112.10752). */
  public static final double LATENT_SCALE = 0.18215;

  /** With the guidance that is usual for what it leads away from. */
  public Origin(Noising noising, String sampler, Spacing spacing, int guidanceChannels) {
    this(noising, sampler, spacing, guidanceChannels, OptionalDouble.empty(), LATENT_SCALE, 0);
  }

  /** Whether it was trained on a flow; then its latents are shifted, too. */
  public boolean isFlow() {
    return noising instanceof Flow;
  }
}
