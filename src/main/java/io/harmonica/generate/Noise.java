package io.harmonica.generate;

/**
 * Standard normal noise. A picture's depends on its own seed, and within a trajectory on the step,
 * never on the batch that it runs in.
 *
 * <p>Values 4 b to 4 b + 3 are made of the {@link Philox} block of the picture's seed and the
 * counter (b, 0, d, 0), where d is 0 for what a picture starts from, and s + 1 for step s. Each of
 * its numbers n becomes u = (n + 1/2) / 2^32, and two of them two values by Box and Muller (1958):
 * sqrt(-2 ln u0) cos(2 pi u1), and with sin. All in fp64; values are fp32.
 *
 * @param seed of picture 0; picture i has {@code seed + i}
 */
record Noise(long seed) {
  /** Says how seeds become noise, where pictures must not mix with others. */
  static final String KIND = "philox-4x32-10";

  private static final int BLOCK = 4;

  /** What pictures from 0 start from: {@code [count, size]}. */
  float[] start(int count, int size) {
    return draw(0, 0, count, size);
  }

  /** What a step adds to pictures from {@code first}: {@code [count, size]}. */
  float[] ofStep(int step, int first, int count, int size) {
    return draw(step + 1, first, count, size);
  }

  private float[] draw(int draw, int first, int count, int size) {
    float[] values = new float[count * size];
    for (int i = 0; i < count; i++) {
      fill(values, i * size, size, new Philox(seed + first + i), draw);
    }
    return values;
  }

  private static void fill(float[] values, int from, int size, Philox philox, int draw) {
    long[] block = new long[BLOCK];
    for (int j = 0; j < size; j += 2) { // two values of two numbers
      int at = j % BLOCK;
      if (at == 0) {
        block[0] = j / BLOCK;
        block[1] = 0;
        block[2] = draw;
        block[3] = 0;
        philox.block(block);
      }
      double radius = Math.sqrt(-2 * StrictMath.log(uniform(block[at])));
      double angle = 2 * Math.PI * uniform(block[at + 1]);
      values[from + j] = (float) (radius * StrictMath.cos(angle));
      if (j + 1 < size) {
        values[from + j + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
  }

  /** Between 0 and 1, neither of them. */
  private static double uniform(long number) {
    return (number + 0.5) * 0x1p-32;
  }
}
