package io.harmonica.generate;

import io.harmonica.picture.Latents;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * A request among others of a {@link Gathering}: its noise, who follows it, and how it ends.
 *
 * @param noise that it starts from, its own or its seed's
 * @param executor whose threads may draw it, and others with it
 * @param ended told how it ended before anyone else is: by a fault, or null; once
 */
record Gathered(
    Request request,
    Latents noise,
    StepListener listener,
    Executor executor,
    Consumer<Throwable> ended,
    CompletableFuture<Result> result,
    AtomicBoolean told,
    long startNanos) {

  /** One that begins now. */
  static Gathered of(
      Request request,
      Latents noise,
      StepListener listener,
      Executor executor,
      Consumer<Throwable> ended) {
    Gathered begun =
        new Gathered(
            request,
            noise,
            listener,
            executor,
            ended,
            new CompletableFuture<>(),
            new AtomicBoolean(),
            System.nanoTime());
    begun.onCancel(() -> begun.tellEnd(new CancellationException()));
    return begun;
  }

  /** Whether it has ended, or nobody waits for it any more. */
  boolean isOver() {
    return result.isDone();
  }

  /** Has something done when whoever asked takes it back. */
  void onCancel(Runnable action) {
    result.whenComplete(
        (done, fault) -> {
          if (result.isCancelled()) {
            action.run();
          }
        });
  }

  /** Tells of a step; who does not go on, is over, and so is who fails at it. */
  void tell(StepListener.Step step) {
    try {
      if (!listener.onStep(step)) {
        fail(
            new CancellationException(
                "cancelled after step " + (step.step() + 1) + " of " + step.steps()));
      }
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  /** Ends with its pictures of those that were drawn together. */
  void end(Result together, Latents own) {
    long elapsed = System.nanoTime() - startNanos;
    end(new Result(own, elapsed, together.runtimeNanos(), together.peakCacheBytes()));
  }

  void end(Result own) {
    tellEnd(null);
    result.complete(own);
  }

  void fail(Throwable fault) {
    tellEnd(fault);
    result.completeExceptionally(fault);
  }

  private void tellEnd(Throwable fault) {
    if (told.compareAndSet(false, true)) {
      ended.accept(fault);
    }
  }
}
