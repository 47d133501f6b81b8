package io.harmonica.model;

import java.util.Set;
import java.util.stream.Collectors;

/**
 * The linear maps of a model that are in 8 bits where its precision is int8, by the names of their
 * weights. All others, as embeddings of pictures and texts, long skips and the head, stay as they
 * are: they are few, and an error there goes straight into the stream.
 *
 * @param tokens those that branches consist of, nine tenths of the time: what they read is in 8
 *     bits too
 * @param vectors those that make several vectors of one a picture, as the modulation of blocks: up
 *     to a third of the weights and hardly any time; a vector in 8 bits would cost 4 dB, so it has
 *     16
 */
public record Int8Maps(Set<String> tokens, Set<String> vectors) {

  /** Finds them by a walk over the model's definition. */
  public static Int8Maps of(Denoiser model) {
    LinearWalk walk = LinearWalk.of(model);
    return new Int8Maps(
        walk.sites().stream().flatMap(site -> site.weights().stream()).collect(Collectors.toSet()),
        walk.vectors());
  }

  public Int8Maps {
    tokens = Set.copyOf(tokens);
    vectors = Set.copyOf(vectors);
  }

  /** Whether a weight is in 8 bits. */
  public boolean contains(String weight) {
    return tokens.contains(weight) || vectors.contains(weight);
  }
}
