package io.harmonica.model;

import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Spacing;

/**
 * How a model is drawn with where it comes from: what follows where no scheduler lies beside it.
 *
 * @param diffusion that it was trained on
 * @param sampler the default, a name of {@link io.harmonica.sampler.Sampler#NAMES}
 * @param spacing how samplers that have none of their own space their timesteps
 * @param guidanceChannels how many channels guidance acts on
 */
public record Origin(Diffusion diffusion, String sampler, Spacing spacing, int guidanceChannels) {}
