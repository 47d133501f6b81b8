package io.harmonica.model;

import java.util.List;
import java.util.Optional;

/**
 * A branch output that joins the streams: the computed one as it is, or one of several cached ones
 * with its weight.
 *
 * @param weight (B, 1, 1); none for 1
 * @param output as {@link Denoiser#branch} gives it
 */
public record Term<T>(Optional<T> weight, T output) {

  /** An output as it is, alone. */
  public static <T> List<Term<T>> of(T output) {
    return List.of(new Term<>(Optional.empty(), output));
  }
}
