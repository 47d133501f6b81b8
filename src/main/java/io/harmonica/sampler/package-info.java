/**
 * Steps a noisy sample towards the picture: timesteps, noise schedule, and DDIM.
 *
 * <p>Read {@link io.harmonica.sampler.Sampler} first, then {@code Ddim}, which shows how far a
 * sampler goes: it only steps, the loop is {@code generate}'s.
 */
package io.harmonica.sampler;
