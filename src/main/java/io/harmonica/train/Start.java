package io.harmonica.train;

import io.harmonica.router.DeltaDit;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.Uncached;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The logits that training starts from. */
final class Start {
  /** Scores of 0.88 and 0.018: clearly on their side of the threshold, and still moving. */
  private static final float COMPUTE = 2;

  private static final float REUSE = -4;

  private Start() {}

  /**
   * HarmoniCa's standard normal logits, or a policy's table at the interval that comes nearest to
   * the target, whole or not.
   */
  static float[][] logits(
      TrainOptions options, List<String> branches, boolean[] trainable, Optional<Target> target) {
    int steps = options.trajectory().steps();
    if (options.start().equals(TrainOptions.RANDOM)) {
      return noise(steps, branches.size(), options.seed(), trainable);
    }
    boolean[][] computes =
        policies(options.start(), steps)
            .map(policy -> policy.computes(steps, branches))
            .min(Comparator.comparingDouble(table -> distance(table, target)))
            .orElseThrow();
    var logits = new float[steps][branches.size()];
    for (int s = 0; s < steps; s++) {
      for (int b = 0; b < branches.size(); b++) {
        logits[s][b] = !trainable[s] ? Table.BOUND : computes[s][b] ? COMPUTE : REUSE;
      }
    }
    return logits;
  }

  private static float[][] noise(int steps, int branches, long seed, boolean[] trainable) {
    var random = new SplittableRandom(seed);
    var logits = new float[steps][branches];
    for (int s = 0; s < steps; s++) {
      for (int b = 0; b < branches; b++) {
        float drawn = (float) random.nextGaussian();
        logits[s][b] = trainable[s] ? Math.max(-Table.BOUND, Math.min(Table.BOUND, drawn)) : 5;
      }
    }
    return logits;
  }

  /** A policy's tables of this many steps, the usual one first. */
  private static Stream<Policy> policies(String word, int steps) {
    return switch (word) {
      case "none" -> Stream.of(new Uncached());
      case "delta-dit" ->
          IntStream.rangeClosed(2, steps).mapToObj(interval -> new DeltaDit(interval, null));
      default -> // taylor's table is the same
          Stream.concat(
              Stream.of(new Fora(2)),
              IntStream.rangeClosed(1, steps).mapToObj(full -> new Fora((double) steps / full)));
    };
  }

  private static double distance(boolean[][] table, Optional<Target> target) {
    return target.map(wanted -> Math.abs(wanted.excess(table))).orElse(0.0);
  }
}
