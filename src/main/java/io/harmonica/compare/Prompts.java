package io.harmonica.compare;

import java.util.List;

/**
 * The pictures of a comparison, the same for every variant: picture i has class {@code classes[i
 * mod n]} and starts from the noise of seed {@code seed + i}.
 *
 * @param perRound pictures of one round; round r makes those from {@code r * perRound} on
 */
public record Prompts(List<Integer> classes, int perRound, long seed) {
  public Prompts {
    classes = List.copyOf(classes);
    if (classes.isEmpty() || perRound < 1) {
      throw new IllegalArgumentException(
          "at least 1 class and 1 picture a round: classes %s, %d a round"
              .formatted(classes, perRound));
    }
  }

  /** The class of a picture. */
  int label(int picture) {
    return classes.get(picture % classes.size());
  }
}
