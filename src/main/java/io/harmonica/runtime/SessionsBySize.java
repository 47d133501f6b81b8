package io.harmonica.runtime;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The sessions of one engine: one that takes batches of any size, or, on a device that is faster
 * when it knows the size, one for each of the first few sizes that come and one for all others.
 *
 * <p>Owns them; {@link #close} ends them. Safe for use by several threads.
 */
final class SessionsBySize implements AutoCloseable {
  /** Each has its own copy of the weights; whole batches and a last smaller one are two sizes. */
  private static final int SIZES = 2;

  private static final OptionalLong ANY = OptionalLong.empty();

  private final Function<OptionalLong, OrtSession> loader;
  private final boolean bySize;
  private final Map<OptionalLong, OrtSession> open = new ConcurrentHashMap<>();

  /**
   * Loads the session for any size, where there is no other.
   *
   * @param loader makes a session for a batch size, or for any
   */
  SessionsBySize(Function<OptionalLong, OrtSession> loader, boolean bySize) {
    this.loader = loader;
    this.bySize = bySize;
    if (!bySize) {
      open.put(ANY, loader.apply(ANY));
    }
  }

  /** The session that runs a batch of this size. */
  OrtSession of(long size) {
    OrtSession session = open.get(bySize ? OptionalLong.of(size) : ANY);
    return session != null ? session : load(OptionalLong.of(size));
  }

  private synchronized OrtSession load(OptionalLong size) {
    boolean own = open.keySet().stream().filter(OptionalLong::isPresent).count() < SIZES;
    return open.computeIfAbsent(own || open.containsKey(size) ? size : ANY, loader);
  }

  @Override
  public void close() {
    try {
      for (OrtSession session : open.values()) {
        session.close();
      }
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
