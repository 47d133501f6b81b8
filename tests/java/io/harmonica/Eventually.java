package io.harmonica;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Waits for what a server, another process or another thread will do, but not for ever. */
public final class Eventually {
  /** Much longer than anything that is waited for takes, on a busy machine too. */
  private static final Duration MOST = Duration.ofMinutes(3);

  private static final int PAUSE_MILLIS = 5;

  private Eventually() {}

  /**
   * Waits until a condition holds. One that can no longer come true should throw, which ends it.
   *
   * @param what is waited for, in words
   */
  public static void until(String what, Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + MOST.toNanos();
    while (!condition.call()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("after " + MOST + " still not: " + what);
      }
      Thread.sleep(PAUSE_MILLIS);
    }
  }
}
