package io.harmonica.compare;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Judges sets of pictures by what a network sees in them; it does not own the network.
 *
 * @param reference pictures to be like; without one, A's
 */
public record Judge(FeatureNetwork network, Optional<FeatureStatistics> reference) {

  /**
   * What a network says of a variant's pictures.
   *
   * @param frechet distance to the reference, or to A's pictures; its interval is NaN where there
   *     are too few pictures for one, and its value where there are not as many as of A
   * @param to what the distance is to, in a few words
   * @param accuracy share of pictures that the network takes for the class they were made for
   */
  public record Judgement(Estimate frechet, String to, Optional<Estimate> accuracy) {}

  Judgement of(Features own, Features a, Prompts prompts) {
    List<Integer> labels = IntStream.range(0, own.count()).map(prompts::label).boxed().toList();
    return new Judgement(
        frechet(own, a),
        reference.map(s -> "%d reference pictures".formatted(s.count())).orElse("those of A"),
        own.logits().isPresent() ? Optional.of(own.accuracy(labels)) : Optional.empty());
  }

  private Estimate frechet(Features own, Features a) {
    if (own.count() < 2 || own.count() != a.count()) {
      return Estimate.symmetric(Double.NaN, Double.NaN);
    }
    if (own.count() >= 2 * Frechet.PARTS) {
      return reference.map(s -> Frechet.to(s, own)).orElseGet(() -> Frechet.between(a, own));
    }
    FeatureStatistics other = reference.orElseGet(a::statistics);
    return Estimate.symmetric(Frechet.distance(own.statistics(), other), Double.NaN);
  }
}
