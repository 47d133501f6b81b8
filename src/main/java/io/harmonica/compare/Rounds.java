package io.harmonica.compare;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Runs variants interleaved: every round runs each of them once, in an order drawn anew, so that a
 * machine that slows down or warms up touches all of them alike, and their latencies pair by round.
 *
 * @param count rounds that count
 * @param warmUps rounds before them whose results are dropped
 * @param seed of the orders
 */
public record Rounds(int count, int warmUps, long seed) {
  public Rounds {
    if (count < 1 || warmUps < 0) {
      throw new IllegalArgumentException(
          "at least 1 round and 0 warm-ups: %d rounds, %d warm-ups".formatted(count, warmUps));
    }
  }

  /**
   * Runs the variants.
   *
   * @return their measurements in the order of the variants; the first is A, which speedups are to
   */
  public List<Measurement> run(List<? extends Variant> variants) {
    if (variants.stream().map(Variant::name).distinct().count() != variants.size()) {
      throw new IllegalArgumentException(
          "variants need distinct names: " + variants.stream().map(Variant::name).toList());
    }
    Random random = new Random(seed);
    List<List<Variant.Run>> runs = new ArrayList<>();
    variants.forEach(variant -> runs.add(new ArrayList<>()));
    for (int round = -warmUps; round < count; round++) {
      List<Integer> order = new ArrayList<>(IntStream.range(0, variants.size()).boxed().toList());
      Collections.shuffle(order, random);
      for (int i : order) {
        Variant.Run run = variants.get(i).run(Math.max(0, round));
        if (round >= 0) {
          runs.get(i).add(run);
        }
      }
    }
    return IntStream.range(0, variants.size())
        .mapToObj(i -> new Measurement(variants.get(i).name(), runs.get(i)))
        .toList();
  }
}
