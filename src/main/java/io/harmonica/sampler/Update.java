package io.harmonica.sampler;

/**
 * A step without memory and fresh noise, as four numbers: {@code x0 = (x - noise * e) / signal},
 * then {@code x = next * x0 + direction * e} for the predicted noise e. So a server can make it.
 */
public record Update(float noise, float signal, float next, float direction) {}
