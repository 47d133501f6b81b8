package io.harmonica.cli;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;

/** Lets work end in good order on Ctrl-C: it is told to stop, and the process waits for it. */
final class Interrupt {

  /** Work that looks now and then whether it shall stop. */
  interface Work {
    int run(BooleanSupplier stop) throws IOException;
  }

  private volatile boolean asked;
  private final CountDownLatch done = new CountDownLatch(1);

  private Interrupt() {}

  /** Runs it. After Ctrl-C (or SIGTERM) the process ends once it returns. */
  static int guarding(Work work) throws IOException {
    Interrupt interrupt = new Interrupt();
    Thread hook = new Thread(interrupt::stopAndWait);
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return work.run(() -> interrupt.asked);
    } finally {
      interrupt.done.countDown();
      if (!interrupt.asked) {
        remove(hook);
      }
    }
  }

  private void stopAndWait() {
    asked = true;
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // the process ends just now, and the hook no longer waits
    }
  }
}
