package io.harmonica.train;

import io.harmonica.sampler.Predicts;
import io.harmonica.torch.Scope;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Passes;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.OptionalInt;
import java.util.SplittableRandom;

/**
 * Learning-to-Cache (Ma et al., arXiv 2406.01733), the baseline: every second step may reuse what
 * the step before it computed, and each such pair is trained on its own. The pair's samples are
 * pictures with noise added, one DDIM step leads from its first to its second; there is no
 * guidance, and a tenth of the labels is dropped, where the model has a null class.
 *
 * <p>Of a solver with several evaluations an update it is the first of an update that may reuse, as
 * the original has it for U-ViT: all of the update before lead to it, and the last of them is what
 * it reuses.
 *
 * <p>The original takes training images. Here the pictures are the checkpoint's own. An iteration
 * goes once over all pairs, where the original draws one.
 */
final class Ltc implements Objective {
  /** How many pictures are generated to train on. */
  static final int PICTURES = 256;

  private static final double LABEL_DROPOUT = 0.1;

  private final Denoising denoising; // without guidance
  private final SoftRouting routing;
  private final Pictures pictures;
  private final Predicts predicts;
  private final double[] signal;
  private final boolean[] reusing;

  /**
   * Generated pictures.
   *
   * @param values per picture, [C, H, W]
   * @param nullClass the label of dropped ones; none are dropped without it
   */
  record Pictures(float[][] values, int[] classes, OptionalInt nullClass) {

    /** The model's own, by uncached trajectories. */
    static Pictures generate(
        Denoising denoising, int batch, OptionalInt nullClass, long seed, Runnable each) {
      int count = PICTURES;
      float[][] values = new float[count][];
      int[] classes = new int[count];
      for (int first = 0; first < count; first += batch) {
        int n = Math.min(batch, count - first);
        Batch drawn = denoising.draw(n, Batch.mix(seed, first));
        float[] x = denoising.uncached(drawn);
        int size = x.length / (n * drawn.copies());
        for (int i = 0; i < n; i++) {
          values[first + i] = java.util.Arrays.copyOfRange(x, i * size, (i + 1) * size);
          classes[first + i] = drawn.classes()[i];
          each.run();
        }
      }
      return new Pictures(values, classes, nullClass);
    }
  }

  /**
   * Trains on given pictures.
   *
   * @param predicts what the model's outputs are
   * @param signal cumulative signal share at each step's timestep
   * @param reusing by step, whether it may reuse what the step before it computed
   */
  Ltc(
      Denoising denoising,
      SoftRouting routing,
      Pictures pictures,
      Predicts predicts,
      double[] signal,
      boolean[] reusing) {
    this.denoising = denoising;
    this.routing = routing;
    this.pictures = pictures;
    this.predicts = predicts;
    this.signal = signal.clone();
    this.reusing = reusing.clone();
  }

  @Override
  public void iterate(Table table, Batch batch, Updates updates) {
    for (int s = 1; s < table.steps(); s++) {
      if (!reusing[s]) {
        continue;
      }
      int first = updateBefore(s);
      Batch noisy = noisy(batch, first);
      try (Walk walk = Walk.start(denoising, noisy, routing.history(), first)) {
        while (walk.step() < s) {
          lead(walk, first == s - 1);
        }
        try (Scope scope = Scope.open()) {
          updates.step(Sdt.gradient(denoising, routing, table, walk));
        }
      }
    }
  }

  /** The first step of the update before a step. */
  private int updateBefore(int step) {
    int first = step - 1;
    while (!denoising.beginsUpdate(first)) {
      first--;
    }
    return first;
  }

  /** Takes a step that computes everything: of DDIM, or one of several that make an update. */
  private void lead(Walk walk, boolean byDdim) {
    int s = walk.step();
    try (Scope scope = Scope.open()) {
      Passes.Begun begun = denoising.begin(walk);
      float[] prediction = denoising.pass(begun, Substitute.disabled(walk)).floats();
      if (byDdim) {
        float[] output = denoising.output(prediction);
        float[] epsilon = predicts.noise(signal[s], walk.x(), output);
        walk.moveTo(ddim(walk.x(), epsilon, signal[s], signal[s + 1]));
      } else {
        walk.advance(prediction);
      }
    }
  }

  /** Pictures with the noise of a step, and labels of which some are dropped. */
  private Batch noisy(Batch batch, int step) {
    var random = new SplittableRandom(Batch.mix(batch.seed(), step));
    int n = batch.pictures();
    int size = pictures.values()[0].length;
    int[] classes = new int[n];
    float[] x = Batch.gaussian(random, n * size);
    float signalRoot = (float) Math.sqrt(signal[step]);
    float noiseRoot = (float) Math.sqrt(1 - signal[step]);
    for (int i = 0; i < n; i++) {
      int chosen = random.nextInt(pictures.values().length);
      boolean dropped = random.nextDouble() < LABEL_DROPOUT;
      int label = pictures.classes()[chosen];
      classes[i] = dropped ? pictures.nullClass().orElse(label) : label;
      for (int j = 0; j < size; j++) {
        x[i * size + j] = signalRoot * pictures.values()[chosen][j] + noiseRoot * x[i * size + j];
      }
    }
    return new Batch(classes, x, 1, batch.seed());
  }

  /** DDIM (arXiv 2010.02502, equation 12, sigma 0) from one signal share to another. */
  private static float[] ddim(float[] x, float[] epsilon, double from, double to) {
    float[] next = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      double x0 = (x[i] - Math.sqrt(1 - from) * epsilon[i]) / Math.sqrt(from);
      next[i] = (float) (Math.sqrt(to) * x0 + Math.sqrt(1 - to) * epsilon[i]);
    }
    return next;
  }
}
