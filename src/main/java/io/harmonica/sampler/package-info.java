/**
 * Steps a noisy sample towards the picture: timesteps, noise schedules, and the samplers.
 *
 * <p>Read {@link io.harmonica.sampler.Sampler} first, then {@code Ddim}, which shows how far a
 * sampler goes: it only steps, the loop is {@code generate}'s. {@code DpmSolver} shows one that
 * remembers. {@code Sampling} says how a model is sampled, and {@code SchedulerFields} which fields
 * of a diffusers scheduler are followed.
 */
package io.harmonica.sampler;
