package io.harmonica.cli;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * Lets work end in good order on Ctrl-C or SIGTERM: it is told to stop, and ends by itself. A
 * second Ctrl-C ends the process at once.
 *
 * <p>Takes the signals themselves. A shutdown hook would come too late: ONNX Runtime has one of its
 * own, which runs at the same time and takes the process down under the work that still goes on.
 */
final class Interrupt {
  private static final List<String> SIGNALS = List.of("INT", "TERM");

  private Interrupt() {}

  /** Work that looks now and then whether it shall stop. */
  interface Work {
    int run(BooleanSupplier stop) throws IOException;
  }

  static int guarding(Work work) throws IOException {
    AtomicBoolean asked = new AtomicBoolean();
    List<Runnable> undo =
        SIGNALS.stream().map(name -> handle(name, () -> asked.set(true))).toList();
    try {
      return work.run(asked::get);
    } finally {
      undo.forEach(Runnable::run);
    }
  }

  /**
   * Runs an action at the first signal. By reflection: the compiler warns of {@code
   * sun.misc.Signal}, for which Java has no other API.
   *
   * @return puts things back as they were
   */
  private static Runnable handle(String name, Runnable action) {
    try {
      Class<?> signals = Class.forName("sun.misc.Signal");
      Class<?> handlers = Class.forName("sun.misc.SignalHandler");
      Object signal = signals.getConstructor(String.class).newInstance(name);
      var set = signals.getMethod("handle", signals, handlers);
      Object standard = handlers.getField("SIG_DFL").get(null);
      Object ours =
          Proxy.newProxyInstance(
              Interrupt.class.getClassLoader(),
              new Class<?>[] {handlers},
              (proxy, method, arguments) -> {
                set.invoke(null, signal, standard);
                action.run();
                return null;
              });
      Object before = set.invoke(null, signal, ours);
      return () -> restore(() -> set.invoke(null, signal, before));
    } catch (ReflectiveOperationException e) {
      return () -> {}; // another Java, or one started with -Xrs: signals then end it as ever
    }
  }

  private interface Reflection {
    Object run() throws ReflectiveOperationException;
  }

  private static void restore(Reflection reflection) {
    try {
      reflection.run();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
