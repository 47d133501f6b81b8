package io.harmonica.compare;

import io.harmonica.HarmonicaException;
import io.harmonica.features.Estimate;
import io.harmonica.features.FeatureNetwork;
import io.harmonica.features.FeatureStatistics;
import io.harmonica.features.Features;
import io.harmonica.features.Frechet;
import io.harmonica.picture.Latents;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Judges sets of pictures by what a network sees in them; it does not own the network.
 *
 * @param reference pictures to be like; without one, A's
 */
public record Judge(FeatureNetwork network, Optional<FeatureStatistics> reference) {
  public Judge {
    if (reference.isPresent() && !reference.get().network().equals(network.digest())) {
      throw new HarmonicaException(
          "`reference` holds statistics of another network than `features`: make them with it, by bin/harmonica features");
    }
  }

  /**
   * What a network says of a variant's pictures.
   *
   * @param frechet distance to the reference, or to A's pictures; its interval is NaN where there
   *     are too few pictures for one, and its value where there are not as many as of A
   * @param to what the distance is to, in a few words
   * @param accuracy share of pictures that the network takes for the class they were made for; none
   *     where that was no class
   */
  public record Judgement(Estimate frechet, String to, Optional<Estimate> accuracy) {}

  /** Fails now, rather than after the measurement, where the network cannot judge such pictures. */
  void requireFits(int channels, int height, int width, Subjects subjects) {
    Features blank =
        network.of(new Latents(new float[channels * height * width], 1, channels, height, width));
    if (blank.logits().isPresent() && subjects.areClasses()) {
      blank.accuracy(List.of(Collections.max(subjects.classes())));
    }
  }

  Judgement of(Features own, Features a, Subjects subjects) {
    List<Integer> labels = IntStream.range(0, own.count()).map(subjects::label).boxed().toList();
    return new Judgement(
        frechet(own, a),
        reference.map(s -> "%d reference pictures".formatted(s.count())).orElse("those of A"),
        own.logits().isPresent() && subjects.areClasses()
            ? Optional.of(own.accuracy(labels))
            : Optional.empty());
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
