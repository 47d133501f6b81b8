package io.harmonica.generate;

import java.util.Random;
import java.util.SplittableRandom;

/**
 * Standard normal noise. A picture's depends on its own seed, and within a trajectory on the step,
 * never on the batch that it runs in.
 *
 * @param seed of picture 0; picture i has {@code seed + i}
 */
record Noise(long seed) {

  /** What pictures from 0 start from: {@code [count, size]}. */
  float[] start(int count, int size) {
    float[] values = new float[count * size];
    for (int i = 0; i < count; i++) {
      fill(values, i * size, size, new Random(picture(i)));
    }
    return values;
  }

  /** What a step adds to pictures from {@code first}: {@code [count, size]}. */
  float[] ofStep(int step, int first, int count, int size) {
    float[] values = new float[count * size];
    for (int i = 0; i < count; i++) {
      long mixed = new SplittableRandom(picture(first + i) + step).nextLong();
      fill(values, i * size, size, new Random(mixed));
    }
    return values;
  }

  /** The seed of one picture, mixed well: neighbouring seeds of Random itself begin alike. */
  private long picture(int index) {
    return new SplittableRandom(seed + index).nextLong();
  }

  private static void fill(float[] values, int from, int size, Random random) {
    for (int j = from; j < from + size; j++) {
      values[j] = (float) random.nextGaussian();
    }
  }
}
