/**
 * Steps a noisy sample towards the picture: timesteps, noise schedules, and the samplers.
 *
 * <p>Read {@link io.harmonica.sampler.Sampler} first, then {@code Ddim}, which shows how far a
 * sampler goes: it only steps, the loop is {@code generate}'s. {@code DpmSolver} shows one that
 * remembers. {@code Sampling} says how a model is sampled, and {@code SchedulerFields} what of a
 * diffusers pipeline's scheduler is followed.
 */
package io.harmonica.sampler;
