package io.harmonica.generate;

import io.harmonica.metrics.Metrics;
import io.harmonica.model.Flops;
import io.harmonica.router.Router;

/** Counts the steps of one batch, as its listener sees them, and hands them on. */
final class Recorder {
  private final Metrics metrics;
  private final Admitted admitted;
  private final String model;
  private final String router;
  private final int pictures;
  private final StepListener next;
  private long start = System.nanoTime();
  private long runtimeBefore;
  private int counted;

  /** Begins with the first step. */
  Recorder(Metrics metrics, Admitted admitted, int pictures, StepListener next) {
    this.metrics = metrics;
    this.admitted = admitted;
    this.model = admitted.manifest().model();
    this.router = admitted.router().map(Router::name).orElse(Request.NO_ROUTER);
    this.pictures = pictures;
    this.next = next;
  }

  /**
   * Counts a step, and asks whether to go on.
   *
   * @param runtimeNanos time inside the runtime so far
   */
  boolean onStep(StepListener.Step step, long runtimeNanos) {
    long elapsed = System.nanoTime() - start;
    long runtime = runtimeNanos - runtimeBefore;
    metrics.latency(model, Metrics.Part.STEP, elapsed);
    metrics.latency(model, Metrics.Part.RUNTIME, runtime);
    metrics.latency(model, Metrics.Part.LOOP, elapsed - runtime);
    while (counted <= step.step()) { // several, where they went in one request
      count(counted++);
    }
    boolean goesOn = next.onStep(step); // its time is its own
    runtimeBefore = runtimeNanos;
    start = System.nanoTime();
    return goesOn;
  }

  private void count(int step) {
    Flops flops = admitted.manifest().flops();
    int branches = flops.branches().size();
    int rows = admitted.rows(pictures);
    long reused = 0;
    double saved = 0;
    for (int b = 0; b < branches; b++) {
      if (admitted.router().isPresent() && !admitted.router().get().computes(step, b)) {
        reused++;
        saved += flops.branches().get(b);
      }
    }
    long computed = (branches - reused) * pictures;
    double computedFlops = (flops.full() - saved) * rows;
    if (admitted.skipsAt(step)) { // a pass without some blocks beside it, of one row a picture
      computedFlops += flops.fixed() * (double) pictures;
      for (int branch : admitted.manifest().branchesWithoutSkipped()) {
        computed += pictures;
        computedFlops += flops.branches().get(branch) * (double) pictures;
      }
    }
    metrics.step(model, router, pictures, computed, reused * pictures, computedFlops, saved * rows);
  }
}
