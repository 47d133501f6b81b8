package io.harmonica.picture;

import java.util.Arrays;
import java.util.List;

/**
 * Samples in the model's own space, fp32, row-major {@code [count, channels, height, width]}: the
 * initial noise, or the result before decoding.
 *
 * <p>The array is not copied, neither in nor out, as it may be large: whoever makes latents leaves
 * it as it is, and pipelines do. Then many threads may use them. Two are equal where they hold the
 * same array.
 *
 * @param values all samples, one after the other
 * @param height of a sample, in the model's own space: a latent model's are an eighth of a
 *     picture's
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

  /** Those of these indices, in their order, copied. */
  public Latents select(List<Integer> indices) {
    return of(indices.stream().map(i -> rows(i, i + 1)).toList());
  }

  /** Samples of one size, one after the other. */
  public static Latents of(List<Latents> parts) {
    Latents first = parts.get(0);
    int count = parts.stream().mapToInt(Latents::count).sum();
    float[] values = new float[count * first.sampleSize()];
    int filled = 0;
    for (Latents part : parts) {
      System.arraycopy(part.values, 0, values, filled, part.values.length);
      filled += part.values.length;
    }
    return new Latents(values, count, first.channels, first.height, first.width);
  }

  /** Samples {@code from} (inclusive) to {@code to} (exclusive), copied. */
  public Latents rows(int from, int to) {
    float[] part = Arrays.copyOfRange(values, from * sampleSize(), to * sampleSize());
    return new Latents(part, to - from, channels, height, width);
  }
}
