package io.harmonica.triton;

import io.harmonica.HarmonicaException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * Futures one after the other, as {@link CompletableFuture#thenCompose} has them, except that
 * cancelling the last cancels the one that is under way, and that faults stay as they were thrown.
 */
final class Chain {
  private Chain() {}

  static <A, B> CompletableFuture<B> then(
      CompletableFuture<A> first, Function<A, CompletableFuture<B>> next) {
    CompletableFuture<B> last = new CompletableFuture<>();
    AtomicReference<CompletableFuture<?>> current = new AtomicReference<>(first);
    first.whenComplete(
        (value, fault) -> {
          if (fault != null) {
            last.completeExceptionally(thrown(fault));
            return;
          }
          try {
            CompletableFuture<B> second = next.apply(value);
            current.set(second);
            if (last.isCancelled()) {
              second.cancel(true);
            }
            hand(second, last);
          } catch (RuntimeException e) {
            last.completeExceptionally(e);
          }
        });
    last.whenComplete(
        (value, fault) -> {
          if (last.isCancelled()) {
            current.get().cancel(true);
          }
        });
    return last;
  }

  /** Completes a future as another one does. */
  static <T> void hand(CompletableFuture<T> from, CompletableFuture<T> to) {
    from.whenComplete(
        (value, fault) -> {
          if (fault == null) {
            to.complete(value);
          } else {
            to.completeExceptionally(thrown(fault));
          }
        });
  }

  /**
   * Waits; an interrupt cancels what is waited for.
   *
   * @param who is waited for, for the message
   */
  static <T> T await(CompletableFuture<T> future, String who) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      throw new HarmonicaException(
          HarmonicaException.Kind.CANCELLED,
          who + " was not waited for: the call was cancelled",
          e);
    } catch (ExecutionException e) {
      throw rethrown(e.getCause());
    }
  }

  private static RuntimeException rethrown(Throwable fault) {
    if (fault instanceof Error error) {
      throw error;
    }
    return (RuntimeException) fault;
  }

  /** What was thrown, without the wrapping that futures add. */
  static Throwable thrown(Throwable fault) {
    return fault instanceof CompletionException && fault.getCause() != null
        ? fault.getCause()
        : fault;
  }
}
