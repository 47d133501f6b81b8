package io.harmonica.train;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.model.Denoiser;
import io.harmonica.router.DeltaDit;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import io.harmonica.router.Uncached;
import io.harmonica.train.search.Target;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The table that training starts from: noise, a policy's, or another router's.
 *
 * @param name {@link #RANDOM}, a policy, or {@code router NAME}
 * @param router whose table it is, if any
 */
public record Start(String name, Optional<Router> router) {
  /** HarmoniCa's start: standard normal logits. */
  public static final Start RANDOM = new Start("random", Optional.empty());

  /** The names of noise and policies. */
  public static final List<String> NAMES = List.of("random", "none", "fora", "taylor", "delta-dit");

  /** Scores of 0.88 and 0.018: clearly on their side of the threshold, and still moving. */
  private static final float COMPUTE = 2;

  private static final float REUSE = -4;

  /** One of {@link #NAMES}. */
  public static Start of(String name) {
    if (!NAMES.contains(name)) {
      throw new InvalidProperty(
          "init", "is %s, expected %s or a router's file".formatted(name, String.join("|", NAMES)));
    }
    return new Start(name, Optional.empty());
  }

  /** A router's table. Of its scores and weights nothing stays. */
  public static Start of(Router router) {
    return new Start("router " + router.name(), Optional.of(router));
  }

  /**
   * Refuses a router that the training's would not look like.
   *
   * @throws HarmonicaException if it is for another model or another number of steps
   */
  public void requireFits(Denoiser model, int steps) {
    if (router.isEmpty()) {
      return;
    }
    Router given = router.get();
    given.requireFits(model.architecture(), model.branchNames());
    if (given.steps() != steps) {
      throw new HarmonicaException(
          "`init`: router '%s' has %d steps, expected `steps` %d: start from one of as many"
              .formatted(given.name(), given.steps(), steps));
    }
  }

  /**
   * Standard normal logits, or those that say a table. A policy's is that at the interval which
   * comes nearest to the target, whole or not.
   */
  float[][] logits(
      int steps,
      List<String> branches,
      Columns columns,
      long seed,
      boolean[] trainable,
      Optional<Target> target) {
    if (equals(RANDOM)) {
      return noise(steps, columns.count(), seed, trainable);
    }
    boolean[][] computes =
        tables(steps, branches)
            .map(columns::table)
            .min(Comparator.comparingDouble(table -> distance(table, target)))
            .orElseThrow();
    var logits = new float[steps][columns.count()];
    for (int s = 0; s < steps; s++) {
      for (int c = 0; c < columns.count(); c++) {
        logits[s][c] = !trainable[s] ? Table.BOUND : computes[s][c] ? COMPUTE : REUSE;
      }
    }
    return logits;
  }

  private static float[][] noise(int steps, int columns, long seed, boolean[] trainable) {
    var random = new SplittableRandom(seed);
    var logits = new float[steps][columns];
    for (int s = 0; s < steps; s++) {
      for (int c = 0; c < columns; c++) {
        float drawn = (float) random.nextGaussian();
        logits[s][c] = trainable[s] ? Math.max(-Table.BOUND, Math.min(Table.BOUND, drawn)) : 5;
      }
    }
    return logits;
  }

  private Stream<boolean[][]> tables(int steps, List<String> branches) {
    return router
        .map(given -> Stream.<boolean[][]>of(given.computes()))
        .orElseGet(() -> policies(name, steps).map(policy -> policy.computes(steps, branches)));
  }

  /** A policy's tables of this many steps, the usual one first. */
  private static Stream<Policy> policies(String name, int steps) {
    return switch (name) {
      case "none" -> Stream.of(new Uncached());
      case "delta-dit" ->
          IntStream.rangeClosed(2, steps).mapToObj(interval -> new DeltaDit(interval, null));
      case "fora", "taylor" -> // the same tables
          Stream.concat(
              Stream.of(new Fora(2)),
              IntStream.rangeClosed(1, steps).mapToObj(full -> new Fora((double) steps / full)));
      default -> throw new IllegalStateException("a start from " + name + " is not made here");
    };
  }

  private static double distance(boolean[][] table, Optional<Target> target) {
    return target.map(wanted -> Math.abs(wanted.excess(table))).orElse(0.0);
  }
}
