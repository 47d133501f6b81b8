package io.harmonica.router;

import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a router saves, and what that costs in memory.
 *
 * @param computedPerStep branches that each step computes
 * @param reused branch executions of the trajectory that are replaced by cached outputs, alone or
 *     as parts of runs
 * @param cur cache utilisation ratio: {@code reused} / all branch executions, step 0 included
 * @param theoreticalSpeedup FLOPs of uncached passes / FLOPs of routed passes; empty where the
 *     model's FLOPs are not known
 * @param peakCacheBytesPerSample most bytes of cached outputs at any step, what that step stores
 *     included, for one row of latents; guidance feeds the model two rows a picture and so doubles
 *     it. Empty where the size of an output is not known
 * @param routes distinct routes
 */
public record Savings(
    List<Integer> computedPerStep,
    int reused,
    double cur,
    OptionalDouble theoreticalSpeedup,
    OptionalLong peakCacheBytesPerSample,
    int routes) {

  /** Counts without a model: no FLOPs, no bytes. */
  public static Savings of(Router router) {
    Schedule schedule = Schedule.of(router);
    List<Integer> computed =
        IntStream.range(0, router.steps()).map(s -> computed(router, s)).boxed().toList();
    int all = router.steps() * router.branches().size();
    int reused = all - computed.stream().mapToInt(Integer::intValue).sum();
    return new Savings(
        computed,
        reused,
        (double) reused / all,
        OptionalDouble.empty(),
        OptionalLong.empty(),
        schedule.routes().size());
  }

  /**
   * Counts and weighs.
   *
   * @param flops of the router's model
   * @param bytes of what it keeps
   */
  public static Savings of(Router router, Flops flops, CacheBytes bytes) {
    Savings counts = of(router);
    return new Savings(
        counts.computedPerStep,
        counts.reused,
        counts.cur,
        OptionalDouble.of(speedup(router, flops)),
        OptionalLong.of(peakBytes(Schedule.of(router), columnBytes(router, bytes))),
        counts.routes);
  }

  private static int computed(Router router, int step) {
    return (int)
        IntStream.range(0, router.branches().size()).filter(b -> router.computes(step, b)).count();
  }

  private static double speedup(Router router, Flops flops) {
    if (flops.branches().size() != router.branches().size()) {
      throw new IllegalArgumentException(
          "FLOPs of %d branches do not fit router '%s' with %d"
              .formatted(flops.branches().size(), router.name(), router.branches().size()));
    }
    return speedup(router.computes(), flops);
  }

  /** FLOPs of uncached passes / FLOPs of these passes, {@code [steps][branches]}. */
  public static double speedup(boolean[][] computes, Flops flops) {
    double routed = 0;
    for (boolean[] row : computes) {
      routed += flops.fixed();
      for (int b = 0; b < row.length; b++) {
        routed += row[b] ? flops.branches().get(b) : 0;
      }
    }
    return (double) computes.length * flops.full() / routed;
  }

  private static List<Long> columnBytes(Router router, CacheBytes bytes) {
    return Stream.concat(
            bytes.branches().stream(),
            router.runs().stream().map(run -> bytes.run(run.first(), run.last())))
        .toList();
  }

  private static long peakBytes(Schedule schedule, List<Long> columnBytes) {
    Set<Schedule.Output> alive = new HashSet<>();
    long peak = 0;
    for (int s = 0; s < schedule.steps().size(); s++) {
      List<Boolean> stored = schedule.route(s).stored();
      for (int c = 0; c < stored.size(); c++) {
        if (stored.get(c)) {
          alive.add(new Schedule.Output(c, s));
        }
      }
      long bytes = alive.stream().mapToLong(output -> columnBytes.get(output.column())).sum();
      peak = Math.max(peak, bytes);
      schedule.steps().get(s).dropped().forEach(alive::remove);
    }
    return peak;
  }
}
