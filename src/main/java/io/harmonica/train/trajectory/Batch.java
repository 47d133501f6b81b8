package io.harmonica.train.trajectory;

import io.harmonica.model.Denoiser;
import java.util.SplittableRandom;

/**
 * The pictures of one trajectory: what they start from, and every later random number.
 *
 * @param classes a label for each picture, or the index of its caption
 * @param noise [copies n, C, H, W]
 * @param copies rows a picture: with guidance two, whose halves start alike
 */
public record Batch(int[] classes, float[] noise, int copies, long seed) {

  /**
   * Draws labels and noise; the same for the same seed.
   *
   * @param classes how many there are
   */
  static Batch draw(Denoiser.Interface io, int classes, int pictures, boolean doubled, long seed) {
    var random = new SplittableRandom(seed);
    int[] labels = random.ints(pictures, 0, classes).toArray();
    int size = pictures * io.channels() * io.height() * io.width();
    float[] noise = gaussian(random, size);
    return new Batch(labels, doubled ? twice(noise) : noise, doubled ? 2 : 1, seed);
  }

  /** Fresh noise for a sampler's step; the same in every run over this batch. */
  float[] noise(int step) {
    return gaussian(new SplittableRandom(mix(seed, step)), noise.length);
  }

  public int pictures() {
    return classes.length;
  }

  /** A seed that follows from another one and a number. */
  public static long mix(long seed, long number) {
    return new SplittableRandom(seed * 0x9E3779B97F4A7C15L + number).nextLong();
  }

  public static float[] gaussian(SplittableRandom random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] twice(float[] values) {
    float[] doubled = new float[2 * values.length];
    System.arraycopy(values, 0, doubled, 0, values.length);
    System.arraycopy(values, 0, doubled, values.length, values.length);
    return doubled;
  }
}
