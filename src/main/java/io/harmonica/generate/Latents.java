package io.harmonica.generate;

import io.harmonica.HarmonicaException;

/**
 * Samples in the model's own space, fp32, row-major {@code [count, channels, height, width]}: the
 * initial noise, or the result before decoding.
 */
public record Latents(float[] values, int count, int channels, int height, int width) {
  public Latents {
    if (values.length != count * channels * height * width) {
      throw new HarmonicaException(
          "latents of %d values do not fill [%d, %d, %d, %d]"
              .formatted(values.length, count, channels, height, width));
    }
  }

  /** Elements of one sample. */
  public int sampleSize() {
    return channels * height * width;
  }
}
