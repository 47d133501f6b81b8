package io.harmonica.metrics;

import io.harmonica.runtime.Traffic;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.time.Duration;

/**
 * The meters of generation in a Micrometer registry. Prometheus shows them with underscores, {@code
 * harmonica_pictures_total}:
 *
 * <ul>
 *   <li>{@code harmonica.pictures} by model, router and {@code outcome}: done, failed, cancelled
 *   <li>{@code harmonica.steps} of pictures, by model and router
 *   <li>{@code harmonica.branches} by {@code how}: computed or reused, once a picture and step
 *   <li>{@code harmonica.flops} by {@code how}: computed or saved by reuse, all rows of guidance
 *   <li>{@code harmonica.latency} by {@code part}: request (a call of generate), step (or several
 *       that went in one request), runtime (of it, inside the runtime), loop (the rest of the
 *       step), decode
 *   <li>{@code harmonica.bytes} by {@code path}: wire.sent, wire.received, shared_memory
 *   <li>{@code harmonica.retries}, {@code harmonica.failovers} of calls to servers
 * </ul>
 */
public final class Metrics {
  /** Counts nowhere. */
  public static final Metrics NONE = new Metrics(new CompositeMeterRegistry());

  private static final Duration[] BUCKETS = {
    Duration.ofNanos(500_000),
    Duration.ofMillis(1),
    Duration.ofMillis(2),
    Duration.ofMillis(5),
    Duration.ofMillis(10),
    Duration.ofMillis(20),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(200),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(2),
    Duration.ofSeconds(5),
    Duration.ofSeconds(10),
    Duration.ofSeconds(30),
    Duration.ofSeconds(60)
  };

  /** How a request ended. */
  public enum Outcome {
    DONE,
    FAILED,
    CANCELLED
  }

  /** What a time was spent on. */
  public enum Part {
    REQUEST,
    STEP,
    RUNTIME,
    LOOP,
    DECODE
  }

  private final MeterRegistry registry;

  /** Counts in a registry, which stays the caller's. */
  public Metrics(MeterRegistry registry) {
    this.registry = registry;
  }

  public void pictures(String model, String router, Outcome outcome, int count) {
    counter("pictures", "model", model, "router", router, "outcome", lower(outcome))
        .increment(count);
  }

  /**
   * A step of several pictures is done.
   *
   * @param computed branch executions, once a picture
   * @param computedFlops of all rows
   */
  public void step(
      String model,
      String router,
      int pictures,
      long computed,
      long reused,
      double computedFlops,
      double savedFlops) {
    counter("steps", "model", model, "router", router).increment(pictures);
    how("branches", model, router, "computed").increment(computed);
    how("branches", model, router, "reused").increment(reused);
    how("flops", model, router, "computed").increment(computedFlops);
    how("flops", model, router, "saved").increment(savedFlops);
  }

  private Counter how(String name, String model, String router, String how) {
    return counter(name, "model", model, "router", router, "how", how);
  }

  public void latency(String model, Part part, long nanos) {
    Timer.builder("harmonica.latency")
        .tags("model", model, "part", lower(part))
        .serviceLevelObjectives(BUCKETS)
        .register(registry)
        .record(Duration.ofNanos(Math.max(0, nanos)));
  }

  /** What a runtime did since an earlier moment. */
  public void traffic(String model, Traffic since) {
    counter("bytes", "model", model, "path", "wire.sent").increment(since.sentBytes());
    counter("bytes", "model", model, "path", "wire.received").increment(since.receivedBytes());
    counter("bytes", "model", model, "path", "shared_memory").increment(since.sharedBytes());
    counter("retries", "model", model).increment(since.retries());
    counter("failovers", "model", model).increment(since.failovers());
  }

  private Counter counter(String name, String... tags) {
    return registry.counter("harmonica." + name, tags);
  }

  private static String lower(Enum<?> word) {
    return word.name().toLowerCase(java.util.Locale.ROOT);
  }
}
