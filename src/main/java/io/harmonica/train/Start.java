package io.harmonica.train;

import io.harmonica.router.DeltaDit;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.Uncached;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** The logits that training starts from. */
final class Start {
  /** Scores of 0.88 and 0.018: clearly on their side of the threshold, and still moving. */
  private static final float COMPUTE = 2;

  private static final float REUSE = -4;

  private Start() {}

  /**
   * HarmoniCa's standard normal logits, or a policy's table at the interval that comes nearest to
   * the target.
   */
  static float[][] logits(
      TrainOptions options, List<String> branches, boolean[] trainable, Optional<Target> target) {
    int steps = options.trajectory().steps();
    if (options.start().equals(TrainOptions.RANDOM)) {
      return noise(steps, branches.size(), options.seed(), trainable);
    }
    boolean[][] computes = policy(options.start(), 2).computes(steps, branches);
    for (int interval = 3; target.isPresent() && interval <= steps; interval++) {
      boolean[][] other = policy(options.start(), interval).computes(steps, branches);
      if (Math.abs(target.get().excess(other)) < Math.abs(target.get().excess(computes))) {
        computes = other;
      }
    }
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

  private static Policy policy(String word, int interval) {
    return switch (word) {
      case "none" -> new Uncached();
      case "delta-dit" -> new DeltaDit(interval, null);
      default -> new Fora(interval); // taylor's table is the same
    };
  }
}
