package io.harmonica.model;

/**
 * What {@link Denoiser#condition} computed from timestep, label and text, by name; or those
 * themselves.
 *
 * <p>An engine that does not compute it learns from these calls which inputs it needs.
 */
@FunctionalInterface
public interface Conditioning<T> {
  T get(String name);
}
