package io.harmonica.generate;

import io.harmonica.runtime.Tensor;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Moves a {@link Drawing} on by futures: no thread is bound to it while the server computes. One
 * thread at a time moves it, each hands over to the next through a future.
 */
final class Flight {
  private final Executor executor;
  private final Consumer<Throwable> ended;
  private final CompletableFuture<Result> result = new CompletableFuture<>();
  private Drawing run;
  private Course trajectory; // null between trajectories
  private volatile CompletableFuture<Map<String, Tensor>> landing = new CompletableFuture<>();

  private Flight(Executor executor, Consumer<Throwable> ended) {
    this.executor = executor;
    this.ended = ended;
    result.whenComplete(
        (done, fault) -> {
          if (result.isCancelled()) {
            landing.cancel(true);
          }
        });
  }

  /**
   * Begins.
   *
   * @param ended told how it ended before anyone else is: by a fault, or null; once
   */
  static CompletableFuture<Result> begin(
      Supplier<Drawing> start, Executor executor, Consumer<Throwable> ended) {
    Flight flight = new Flight(executor, ended);
    executor.execute(
        () ->
            flight.guarded(
                () -> {
                  flight.run = start.get();
                  flight.advance();
                }));
    return flight.result;
  }

  private void guarded(Runnable move) {
    try {
      move.run();
    } catch (RuntimeException | Error e) {
      end(e);
    }
  }

  /** Goes on until a call is on its way, or all is done. */
  private void advance() {
    while (!result.isDone()) {
      if (trajectory == null) {
        if (!run.hasNext()) {
          Result finished = run.result();
          run.close();
          ended.accept(null);
          result.complete(finished);
          return;
        }
        trajectory = run.next();
      } else if (trajectory.isDone()) {
        run.take();
        trajectory = null;
      } else {
        CompletableFuture<Map<String, Tensor>> sent = trajectory.send();
        landing = sent;
        if (result.isCancelled()) {
          sent.cancel(true);
        }
        if (!sent.isDone()) {
          sent.whenComplete((results, fault) -> continueWith(sent));
          return;
        }
        land(sent);
      }
    }
    end(new CancellationException());
  }

  private void continueWith(CompletableFuture<Map<String, Tensor>> sent) {
    Runnable move =
        () ->
            guarded(
                () -> {
                  land(sent);
                  advance();
                });
    try {
      executor.execute(move);
    } catch (RejectedExecutionException e) {
      end(e);
    }
  }

  private void land(CompletableFuture<Map<String, Tensor>> sent) {
    trajectory.accept(await(sent));
  }

  /** What a future brings; its fault as it was thrown. */
  static <T> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error fault) {
        throw fault;
      }
      throw e.getCause() instanceof RuntimeException fault ? fault : e;
    }
  }

  private void end(Throwable fault) {
    if (run != null) {
      run.close();
    }
    ended.accept(fault);
    result.completeExceptionally(fault);
  }
}
