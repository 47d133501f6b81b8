package io.harmonica.model;

/**
 * What {@link Denoiser#embed} computed from timestep, label and text, by name.
 *
 * <p>An engine without the embedding learns from these calls which inputs it needs.
 */
@FunctionalInterface
public interface Conditioning<T> {
  T get(String name);
}
