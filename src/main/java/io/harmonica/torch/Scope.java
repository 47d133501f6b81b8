package io.harmonica.torch;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;

/**
 * Owns the native memory of every {@link Value} that its thread makes while it is the innermost
 * open one, and frees it when it closes.
 *
 * <p>Scopes nest. A value that takes part in the history of a gradient lives on inside libtorch for
 * as long as that history needs it.
 */
public final class Scope implements AutoCloseable {
  private final PointerScope pointers = new PointerScope();
  private final boolean gradients;

  private Scope(boolean enable) {
    gradients = GradMode.is_enabled();
    GradMode.set_enabled(enable);
  }

  /** Records gradients where the surrounding scope does; the outermost one does. */
  public static Scope open() {
    Libtorch.load();
    return new Scope(GradMode.is_enabled());
  }

  /** Until it closes, nothing is recorded for gradients. */
  public static Scope withoutGradients() {
    Libtorch.load();
    return new Scope(false);
  }

  /** Without one, nobody would free what is made. */
  static void requireOpen() {
    if (PointerScope.getInnerScope() == null) {
      throw new IllegalStateException("no Scope is open on this thread");
    }
  }

  /** Lets a value outlive all scopes: the caller owns and closes it. */
  public Value keep(Value value) {
    value.tensor.retainReference();
    return value;
  }

  @Override
  public void close() {
    GradMode.set_enabled(gradients);
    pointers.close();
  }
}
