package io.harmonica.generate;

import io.harmonica.runtime.Runtime;
import java.util.function.Supplier;

/**
 * One request on its way: a trajectory after the other, as many pictures in each as a batch takes.
 * Owns the trajectory that is under way, and its session.
 */
final class Run implements AutoCloseable {

  /** Prepares the trajectory of some of the pictures, {@code from} inclusive, {@code to} not. */
  interface Trajectories {
    Trajectory of(Runtime session, int from, int to);
  }

  private final Latents noise;
  private final int chunk;
  private final Supplier<Runtime> sessions;
  private final Trajectories trajectories;
  private final long startNanos = System.nanoTime();
  private final float[] values;
  private int taken;
  private Runtime session; // null between trajectories
  private Trajectory trajectory; // null between trajectories
  private long runtimeNanos;
  private long peakCacheBytes;

  Run(Latents noise, int chunk, Supplier<Runtime> sessions, Trajectories trajectories) {
    this.noise = noise;
    this.chunk = chunk;
    this.sessions = sessions;
    this.trajectories = trajectories;
    this.values = new float[noise.values().length];
  }

  boolean hasNext() {
    return taken < noise.count();
  }

  /** Begins the next trajectory. */
  Trajectory next() {
    session = sessions.get();
    trajectory = trajectories.of(session, taken, Math.min(noise.count(), taken + chunk));
    return trajectory;
  }

  /** The runtime of the trajectory under way. */
  Runtime session() {
    return session;
  }

  /** Takes the samples of the trajectory, which is done, and closes it. */
  void take() {
    float[] part = trajectory.samples();
    System.arraycopy(part, 0, values, taken * noise.sampleSize(), part.length);
    taken += part.length / noise.sampleSize();
    runtimeNanos += trajectory.runtimeNanos();
    peakCacheBytes = Math.max(peakCacheBytes, trajectory.peakCacheBytes());
    close();
  }

  Result result() {
    Latents latents =
        new Latents(values, noise.count(), noise.channels(), noise.height(), noise.width());
    return new Result(latents, System.nanoTime() - startNanos, runtimeNanos, peakCacheBytes);
  }

  @Override
  public void close() {
    if (trajectory != null) {
      trajectory.close();
      trajectory = null;
    }
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
