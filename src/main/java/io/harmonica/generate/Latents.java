package io.harmonica.generate;

import java.util.Arrays;

/**
 * Samples in the model's own space, fp32, row-major {@code [count, channels, height, width]}: the
 * initial noise, or the result before decoding.
 */
public record Latents(float[] values, int count, int channels, int height, int width) {
  public Latents {
    if (values.length != count * channels * height * width) {
      throw new IllegalArgumentException(
          "latents of %d values do not fill [%d, %d, %d, %d]"
              .formatted(values.length, count, channels, height, width));
    }
  }

  /** Elements of one sample. */
  public int sampleSize() {
    return channels * height * width;
  }

  /** Samples {@code from} (inclusive) to {@code to} (exclusive), copied. */
  public Latents rows(int from, int to) {
    float[] part = Arrays.copyOfRange(values, from * sampleSize(), to * sampleSize());
    return new Latents(part, to - from, channels, height, width);
  }
}
