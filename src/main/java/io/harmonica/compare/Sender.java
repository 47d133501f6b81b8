package io.harmonica.compare;

import io.harmonica.runtime.Statistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Sends the requests of a round as a load says. Owns the threads that do. */
final class Sender implements AutoCloseable {

  /** The time, which tests make up. */
  interface Clock {
    long nanos();

    void sleepUntil(long nanos);
  }

  static final Clock SYSTEM =
      new Clock() {
        @Override
        public long nanos() {
          return System.nanoTime();
        }

        @Override
        public void sleepUntil(long nanos) {
          for (long left = nanos - nanos(); left > 0; left = nanos - nanos()) {
            LockSupport.parkNanos(left);
          }
        }
      };

  private final Load load;
  private final long seed;
  private final Clock clock;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "harmonica-compare");
            thread.setDaemon(true);
            return thread;
          });

  Sender(Load load, long seed, Clock clock) {
    this.load = load;
    this.seed = seed;
    this.clock = clock;
  }

  /** Makes a variant's pictures of a round. The first fault ends it, once all threads are back. */
  Turn send(Variant variant, int round) {
    Statistics before = variant.statistics();
    Dispatch dispatch = new Dispatch(variant, round);
    int workers = Math.min(load.inFlight(), variant.requests());
    if (workers == 1) {
      dispatch.work();
    } else {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        running.add(threads.submit(dispatch::work));
      }
      await(running);
    }
    return dispatch.turn(before);
  }

  private static void await(List<Future<?>> running) {
    RuntimeException first = null;
    for (Future<?> one : running) {
      try {
        one.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof Error error) {
          throw error;
        }
        first = first == null ? (RuntimeException) e.getCause() : first;
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    if (first != null) {
      throw first;
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }

  /** The requests of one turn; each worker takes the next one until none is left. */
  private final class Dispatch {
    private final Variant variant;
    private final int round;
    private final long[] due;
    private final AtomicInteger next = new AtomicInteger();
    private final Variant.Sample[] samples;
    private final long[] latencies;
    private final long start;

    Dispatch(Variant variant, int round) {
      this.variant = variant;
      this.round = round;
      samples = new Variant.Sample[variant.requests()];
      latencies = new long[samples.length];
      due = load.isOpen() ? load.dueNanos(samples.length, seed + round) : null;
      start = clock.nanos();
    }

    void work() {
      for (int i = next.getAndIncrement(); i < samples.length; i = next.getAndIncrement()) {
        long from = due == null ? clock.nanos() : start + due[i];
        clock.sleepUntil(from);
        try {
          samples[i] = variant.request(round, i);
        } catch (RuntimeException | Error e) {
          next.set(samples.length); // the others need not begin
          throw e;
        }
        latencies[i] = Math.max(1, clock.nanos() - from);
      }
    }

    Turn turn(Statistics before) {
      long makespan = Math.max(1, clock.nanos() - start);
      return new Turn(
          load.timeNanos(makespan, latencies),
          makespan,
          latencies,
          Arrays.asList(samples),
          variant.statistics().minus(before));
    }
  }
}
