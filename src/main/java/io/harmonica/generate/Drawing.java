package io.harmonica.generate;

import io.harmonica.picture.Latents;

/**
 * One request on its way: a trajectory after the other, as many pictures in each as a batch takes.
 * Owns the trajectory that is under way.
 */
final class Drawing implements AutoCloseable {

  /** Prepares the trajectory of some of the pictures, {@code from} inclusive, {@code to} not. */
  interface Courses {
    Course of(int from, int to);
  }

  private final Latents noise;
  private final int chunk;
  private final Courses courses;
  private final long startNanos = System.nanoTime();
  private final float[] values;
  private int taken;
  private Course trajectory; // null between trajectories
  private long runtimeNanos;
  private long peakCacheBytes;

  /**
   * Prepares a request.
   *
   * @param chunk pictures that go together
   */
  Drawing(Latents noise, int chunk, Courses courses) {
    this.noise = noise;
    this.chunk = chunk;
    this.courses = courses;
    this.values = new float[noise.values().length];
  }

  boolean hasNext() {
    return taken < noise.count();
  }

  /** Begins the next trajectory. */
  Course next() {
    trajectory = courses.of(taken, Math.min(noise.count(), taken + chunk));
    return trajectory;
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
  }
}
