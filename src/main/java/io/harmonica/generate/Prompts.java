package io.harmonica.generate;

import java.util.List;
import java.util.Optional;

/**
 * Texts of pictures, embedded.
 *
 * @param positive what to draw, a text a picture
 * @param negative what guidance leads away from: one text for all, or one a picture; without
 *     guidance none is needed
 */
public record Prompts(Embeddings positive, Optional<Embeddings> negative) {
  public Prompts {
    if (negative.isPresent()) {
      int texts = negative.get().count();
      if (texts != 1 && texts != positive.count()) {
        throw new IllegalArgumentException(
            "%d negative texts for %d pictures, expected one, or as many"
                .formatted(texts, positive.count()));
      }
      if (negative.get().width() != positive.width()) {
        throw new IllegalArgumentException(
            "negative texts are embedded %d wide, the others %d; embed them with one encoder"
                .formatted(negative.get().width(), positive.width()));
      }
    }
  }

  /** Those of these indices, in their order. */
  public Prompts select(List<Integer> indices) {
    boolean shared = negative.isPresent() && negative.get().count() == 1;
    return new Prompts(
        positive.select(indices), shared ? negative : negative.map(texts -> texts.select(indices)));
  }

  /** Those of pictures {@code from} (inclusive) to {@code to} (exclusive). */
  public Prompts rows(int from, int to) {
    return new Prompts(positive.rows(from, to), negative.map(texts -> texts.rows(from, to)));
  }
}
