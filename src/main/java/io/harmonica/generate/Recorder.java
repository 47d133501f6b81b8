package io.harmonica.generate;

import io.harmonica.metrics.Metrics;
import io.harmonica.model.Flops;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;

/** Counts the steps of one batch, as its listener sees them, and hands them on. */
final class Recorder {
  private final Metrics metrics;
  private final Manifest manifest;
  private final String router;
  private final Schedule schedule;
  private final int pictures;
  private final int rows;
  private final StepListener next;
  private long start = System.nanoTime();
  private long runtimeBefore;
  private int counted;

  /**
   * Begins with the first step.
   *
   * @param rows of a batch, twice the pictures where guidance is
   */
  Recorder(
      Metrics metrics,
      Manifest manifest,
      String router,
      Schedule schedule,
      int pictures,
      int rows,
      StepListener next) {
    this.metrics = metrics;
    this.manifest = manifest;
    this.router = router;
    this.schedule = schedule;
    this.pictures = pictures;
    this.rows = rows;
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
    metrics.latency(manifest.model(), Metrics.Part.STEP, elapsed);
    metrics.latency(manifest.model(), Metrics.Part.RUNTIME, runtime);
    metrics.latency(manifest.model(), Metrics.Part.LOOP, elapsed - runtime);
    while (counted <= step.step()) { // several, where they went in one request
      count(schedule.route(counted++));
    }
    boolean goesOn = next.onStep(step); // its time is its own
    runtimeBefore = runtimeNanos;
    start = System.nanoTime();
    return goesOn;
  }

  private void count(Route route) {
    Flops flops = manifest.flops();
    long reused = 0;
    double saved = 0;
    for (int b = 0; b < route.histories().size(); b++) {
      if (route.histories().get(b) > 0) {
        reused++;
        saved += flops.branches().get(b);
      }
    }
    metrics.step(
        manifest.model(),
        router,
        pictures,
        (route.histories().size() - reused) * pictures,
        reused * pictures,
        (flops.full() - saved) * rows,
        saved * rows);
  }
}
