package io.harmonica.compare;

import io.harmonica.InvalidProperty;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.picture.Latents;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The pictures of a comparison, the same for every variant: picture i has class {@code classes[i
 * mod n]} and starts from the noise of seed {@code seed + i}, or from latents that are given.
 *
 * @param classes labels, or indices into the contents
 * @param contents what they show, as a model takes it: texts that it embeds, for example; empty for
 *     labels
 * @param starts where pictures start instead of from seeded noise, one for each of the classes
 * @param perRound pictures of one round; round r makes those from {@code r * perRound} on
 */
public record Subjects(
    List<Integer> classes,
    Optional<Function<Pipeline, Content>> contents,
    Optional<Latents> starts,
    int perRound,
    long seed) {
  public Subjects {
    classes = List.copyOf(classes);
    if (classes.isEmpty() || perRound < 1) {
      throw new IllegalArgumentException(
          "at least 1 class and 1 picture a round: classes %s, %d a round"
              .formatted(classes, perRound));
    }
    if (starts.isPresent() && starts.get().count() != classes.size()) {
      throw new InvalidProperty(
          "latents",
          "has %d rows for %d %s, expected as many"
              .formatted(
                  starts.get().count(),
                  classes.size(),
                  contents.isPresent() ? "subjects" : "`classes`"));
    }
  }

  /** Of a model that takes labels. */
  public Subjects(List<Integer> classes, int perRound, long seed) {
    this(classes, Optional.empty(), Optional.empty(), perRound, seed);
  }

  /** Whether pictures are of classes. */
  boolean areClasses() {
    return contents.isEmpty();
  }

  /** The class of a picture. */
  int label(int picture) {
    return classes.get(picture % classes.size());
  }

  /** Where pictures start, if not from seeded noise. */
  Optional<Latents> starts(int first, int count) {
    List<Integer> rows =
        IntStream.range(first, first + count).map(i -> i % classes.size()).boxed().toList();
    return starts.map(all -> all.select(rows));
  }
}
