package io.harmonica.train.trajectory;

import io.harmonica.sampler.Stepper;

/** A batch on its way through a trajectory: its samples, and the column outputs it keeps. */
public final class Walk implements AutoCloseable {
  private final Denoising denoising;
  private final Batch batch;
  private final Cache cache;
  private final float[] x; // (rows, C, H, W)
  private final Stepper stepper;
  private int step;

  private Walk(
      Denoising denoising, Batch batch, Cache cache, float[] x, Stepper stepper, int step) {
    this.denoising = denoising;
    this.batch = batch;
    this.cache = cache;
    this.x = x;
    this.stepper = stepper;
    this.step = step;
  }

  /** At a batch's samples, with an empty cache that keeps so many outputs of a column. */
  public static Walk start(Denoising denoising, Batch batch, int history, int step) {
    Cache cache = new Cache(denoising.columns(), history);
    return new Walk(denoising, batch, cache, batch.noise().clone(), denoising.start(), step);
  }

  /**
   * Another one that goes its own way from here. It reads what this one stored, which must stay
   * open as long.
   */
  public Walk fork() {
    return new Walk(denoising, batch, cache.fork(), x.clone(), stepper.fork(), step);
  }

  public int step() {
    return step;
  }

  public boolean done() {
    return step == denoising.steps();
  }

  public float[] x() {
    return x;
  }

  Batch batch() {
    return batch;
  }

  public Cache cache() {
    return cache;
  }

  /** Whether a step that computes these columns makes one's output anew. */
  boolean makes(int column, boolean[] computes) {
    return denoising.makes(column, computes);
  }

  /** Steps the samples by a guided prediction, [rows, outputChannels, H, W]. */
  public void advance(float[] prediction) {
    denoising.step(stepper, step, x, prediction, batch);
    step++;
  }

  /** Takes the next step's samples as they are. */
  public void moveTo(float[] next) {
    System.arraycopy(next, 0, x, 0, x.length);
    step++;
  }

  @Override
  public void close() {
    cache.close();
  }
}
