package io.harmonica.triton;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Lets only so many calls run at a time; the others wait in their order, without a thread. */
final class Limit {
  private final int most;
  private final Deque<Runnable> waiting = new ArrayDeque<>();
  private int running;

  Limit(int most) {
    this.most = most;
  }

  /** Runs a call now, or when others have ended. */
  <T> CompletableFuture<T> run(Supplier<CompletableFuture<T>> call) {
    CompletableFuture<Void> turn = new CompletableFuture<>();
    synchronized (this) {
      if (running < most) {
        running++;
        turn.complete(null);
      } else {
        waiting.add(
            () -> {
              if (!turn.complete(null)) {
                pass(); // cancelled while it waited
              }
            });
      }
    }
    CompletableFuture<T> result = Chain.then(turn, mine -> call.get());
    turn.whenComplete(
        (mine, cancelled) -> {
          if (cancelled == null) {
            result.whenComplete((value, fault) -> pass());
          }
        });
    return result;
  }

  private void pass() {
    Runnable next;
    synchronized (this) {
      next = waiting.poll();
      if (next == null) {
        running--;
      }
    }
    if (next != null) {
      next.run();
    }
  }
}
