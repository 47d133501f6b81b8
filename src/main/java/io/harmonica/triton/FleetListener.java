package io.harmonica.triton;

import io.harmonica.HarmonicaException;
import java.time.Duration;

/** Hears when a {@link Fleet} helps itself. Called by the thread that noticed; return soon. */
public interface FleetListener {
  FleetListener NONE = new FleetListener() {};

  /**
   * A server failed, and the trajectory goes on at another one.
   *
   * @param from the server that failed, as {@code HOST:PORT}
   * @param to where the same step runs now
   */
  default void onFailover(String from, String to, HarmonicaException fault) {}

  /** Every server failed, and all are tried again after a pause. */
  default void onRetry(Duration pause, HarmonicaException fault) {}
}
