package io.harmonica.router;

import io.harmonica.model.Flops;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Policies parametrised so that their theoretical speedup comes as near as they can to a wanted
 * one: the same budget for each, to compare them at.
 *
 * @param speedup wanted theoretical speedup, at least 1
 * @param flops of the model
 * @param steps of the trajectory
 * @param branches names in execution order
 */
public record TargetSpeedup(double speedup, Flops flops, int steps, List<String> branches) {
  /** Delta-DiT's usual intervals. */
  private static final int LONGEST_USUAL_INTERVAL = 4;

  /**
   * How far from the wanted speedup usual intervals may lead before longer ones are tried, as a
   * share of it.
   */
  private static final double NEAR = 0.05;

  public TargetSpeedup {
    branches = List.copyOf(branches);
    if (!(speedup >= 1 && Double.isFinite(speedup))) {
      throw new IllegalArgumentException(
          "target-speedup is %s, expected at least 1".formatted(speedup));
    }
  }

  /** As many full steps as the speedup leaves, evenly spread. */
  public Fora fora() {
    return nearest(IntStream.rangeClosed(1, steps).mapToObj(n -> new Fora((double) steps / n)));
  }

  /** The same steps as {@link #fora}. */
  public Taylor taylor(int order) {
    return new Taylor(fora().interval(), order);
  }

  /**
   * Some of the blocks skipped, not all, at intervals of 2 to 4, as the paper has them; only where
   * these do not reach the speedup at longer ones.
   */
  public DeltaDit deltaDit() {
    DeltaDit usual = deltaDit(2, LONGEST_USUAL_INTERVAL);
    return distance(usual) <= NEAR * speedup ? usual : deltaDit(2, Math.max(2, steps));
  }

  private DeltaDit deltaDit(int shortest, int longest) {
    return nearest(IntStream.rangeClosed(shortest, longest).mapToObj(this::deltaDit));
  }

  private DeltaDit deltaDit(int interval) {
    int blocks = (int) branches.stream().map(Policy::block).distinct().count();
    return nearest(
        IntStream.range(0, blocks)
            .mapToObj(skipped -> DeltaDit.skipping(skipped, interval, steps, branches)));
  }

  /** As many reused branch executions as the speedup needs. */
  public RandomReuse random(long seed) {
    int cells = steps * branches.size();
    int few = 0;
    int many = cells - branches.size(); // step 0 computes all
    while (many - few > 1) { // more of one shuffled list: the speedup only grows
      int middle = (few + many) >>> 1;
      if (speedup(new RandomReuse((double) middle / cells, seed)) < speedup) {
        few = middle;
      } else {
        many = middle;
      }
    }
    return nearest(Stream.of(few, many).map(n -> new RandomReuse((double) n / cells, seed)));
  }

  private <P extends Policy> P nearest(Stream<P> policies) {
    return policies.min(Comparator.comparingDouble(this::distance)).orElseThrow();
  }

  private double distance(Policy policy) {
    return Math.abs(speedup(policy) - speedup);
  }

  private double speedup(Policy policy) {
    return Savings.speedup(policy.computes(steps, branches), flops);
  }
}
