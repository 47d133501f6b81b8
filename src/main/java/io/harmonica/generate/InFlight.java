package io.harmonica.generate;

import io.harmonica.InvalidProperty;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * Keeps a number of requests in flight on one pipeline, by as many threads as there are processors,
 * however many requests. The next begins when one has been handed over, so a slow taker slows the
 * whole down (back-pressure) and memory stays what the requests in flight take.
 *
 * <pre>{@code
 * new InFlight(pipeline, 8)
 *     .run(
 *         IntStream.range(0, 1000)
 *             .mapToObj(i -> new InFlight.Job<>(i, request.withSeed(i)))
 *             .iterator(),
 *         (i, result) -> write(i, pipeline.decode(result.latents())),
 *         () -> false);
 * }</pre>
 *
 * <p>Holds no state: several threads may each run theirs, and each has its own number in flight.
 *
 * @param pipeline the caller's, to close after the last run
 * @param maxInFlight requests in flight, from being drawn to being taken
 */
public record InFlight(Pipeline pipeline, int maxInFlight) {
  public InFlight {
    if (maxInFlight < 1) {
      throw new InvalidProperty("concurrency", "%d must be 1 or more".formatted(maxInFlight));
    }
  }

  /** Takes what is finished, several at a time on several threads. */
  public interface Taker<T> {

    /** Takes a result; what it throws ends the run. */
    void take(T job, Result result);
  }

  /**
   * A request, and what it is for.
   *
   * @param what the caller's own: a number, a file, a user
   */
  public record Job<T>(T what, Request request) {}

  /**
   * Generates everything.
   *
   * @param jobs asked for the next when there is room for it, by the calling thread
   * @param stop whether to begin no more; those in flight then end
   * @throws RuntimeException the first that a request or the taker threw, after which none begins
   */
  public <T> void run(Iterator<Job<T>> jobs, Taker<T> taker, BooleanSupplier stop) {
    ExecutorService threads =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    Semaphore room = new Semaphore(maxInFlight);
    AtomicReference<Throwable> fault = new AtomicReference<>();
    try {
      while (true) {
        room.acquireUninterruptibly();
        if (fault.get() != null || stop.getAsBoolean() || !jobs.hasNext()) {
          room.release();
          break;
        }
        Job<T> job = jobs.next();
        CompletableFuture<Result> result = pipeline.generateAsync(job.request(), threads);
        result
            .thenAcceptAsync(done -> taker.take(job.what(), done), threads)
            .whenComplete(
                (taken, thrown) -> {
                  if (thrown != null) {
                    fault.compareAndSet(null, thrown);
                  }
                  room.release();
                });
      }
      room.acquireUninterruptibly(maxInFlight); // all have landed
    } finally {
      threads.shutdown();
    }
    Throwable thrown = fault.get();
    if (thrown instanceof CompletionException wrapped && wrapped.getCause() != null) {
      thrown = wrapped.getCause();
    }
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
  }
}
