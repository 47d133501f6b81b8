package io.harmonica.generate;

import io.harmonica.metrics.Metrics;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Traffic;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts how a pipeline's requests end, in its meters and in the log. For several threads. */
final class Counting {
  private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

  private final Metrics metrics;
  private final String model;
  private final Runtime runtime;
  private Traffic counted = Traffic.NONE;

  Counting(Metrics metrics, String model, Runtime runtime) {
    this.metrics = metrics;
    this.model = model;
    this.runtime = runtime;
  }

  /**
   * How a request ended.
   *
   * @param fault that ended it, or null
   */
  static Metrics.Outcome outcome(Throwable fault) {
    if (fault == null) {
      return Metrics.Outcome.DONE;
    }
    return fault instanceof CancellationException
        ? Metrics.Outcome.CANCELLED
        : Metrics.Outcome.FAILED;
  }

  /** Counts a request that has ended, and what went over the wire since the last one. */
  void request(Request request, long startNanos, Metrics.Outcome outcome) {
    long elapsed = System.nanoTime() - startNanos;
    metrics.pictures(model, request.style().router(), outcome, request.count());
    metrics.latency(model, Metrics.Part.REQUEST, elapsed);
    traffic();
    LOG.atInfo()
        .addKeyValue("model", model)
        .addKeyValue("router", request.style().router())
        .addKeyValue("pictures", request.count())
        .addKeyValue("outcome", outcome)
        .addKeyValue("millis", elapsed / 1_000_000)
        .log("generated");
  }

  private synchronized void traffic() {
    Traffic now = runtime.traffic();
    metrics.traffic(model, now.minus(counted));
    counted = now;
  }
}
