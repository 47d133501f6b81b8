package io.harmonica.model;

import java.util.List;
import java.util.Optional;

/** What diffusion transformers share; the shape comments' legend is {@link Denoiser}'s. */
public final class Layers {
  /** Sine-cosine features of a number, such as a timestep, in DiT and PixArt. */
  static final int FEATURES = 256;

  private Layers() {}

  /** The tokens of a sample, row by row: (B, C, H, W) to (B, N, D). */
  static <T> T patches(Ops<T> ops, T sample, String name, int channels, int width, int patch) {
    T x = ops.conv(ops.toPrecision(sample), name, channels, width, patch, patch, 0);
    return ops.transpose(ops.reshape(x, 0, width, -1), 0, 2, 1); // from (B, D, H/P, W/P)
  }

  /** The picture that tokens make up: (B, N, P P O) to (B, O, H, W), fp32. */
  static <T> T picture(Ops<T> ops, T tokens, int rows, int columns, int patch, int channels) {
    T x = ops.reshape(tokens, 0, rows, columns, patch, patch, channels);
    x = ops.transpose(x, 0, 5, 1, 3, 2, 4); // (B, O, row, py, column, px)
    return ops.toFloat(
        ops.reshape(x, 0, channels, (long) rows * patch, (long) columns * patch)); // (B, O, H, W)
  }

  /** {@code x * (1 + scale) + shift}: x (B, N, D), shift and scale (B, 1, D). */
  static <T> T modulate(Ops<T> ops, T x, T shift, T scale) {
    T one = ops.toPrecision(ops.constant(new float[] {1}, 1));
    return ops.add(ops.mul(x, ops.add(scale, one)), shift);
  }

  /**
   * Cosines, then sines, of a number at half as many frequencies: (B, 1) to (B, features).
   *
   * @param features an even number; 256 in DiT and PixArt, the model's width in U-ViT
   * @param divisor in the exponent of the frequencies: half the features, or 127 in diffusers' DiT
   */
  static <T> T sinusoids(Ops<T> ops, T number, int features, int divisor) {
    float[] frequencies = new float[features / 2];
    for (int i = 0; i < frequencies.length; i++) {
      // Every rounding to float matters: near t = 999 one in double shifts a feature by 3e-5.
      float exponent = (float) -Math.log(10000) * i / divisor;
      frequencies[i] = (float) Math.exp(exponent);
    }
    T angles = ops.mul(ops.toFloat(number), ops.constant(frequencies, frequencies.length));
    return ops.toPrecision(ops.concat(1, List.of(ops.cos(angles), ops.sin(angles))));
  }

  /**
   * Fixed 2-D sine-cosine positions, column first: [N, D] (DiT {@code get_2d_sincos_pos_embed}).
   *
   * @param base side, in tokens, of the pictures that the model was trained on: other sizes are
   *     stretched over it
   * @param interpolation what positions are divided by then (diffusers {@code interpolation_scale})
   */
  public static float[] positions(int width, int rows, int columns, int base, float interpolation) {
    int quarter = width / 4;
    float[] positions = new float[rows * columns * width];
    for (int token = 0; token < rows * columns; token++) {
      float[] coordinates = {
        token % columns / ((float) columns / base) / interpolation,
        token / columns / ((float) rows / base) / interpolation
      };
      for (int axis = 0; axis < 2; axis++) {
        int start = token * width + axis * 2 * quarter;
        for (int i = 0; i < quarter; i++) {
          double angle = coordinates[axis] * Math.pow(10000, -(double) i / quarter);
          positions[start + i] = (float) Math.sin(angle);
          positions[start + quarter + i] = (float) Math.cos(angle);
        }
      }
    }
    return positions;
  }

  /**
   * {@code hidden + sum_j (gate * w_j) * output_j}: (B, N, D). A small factor for each output costs
   * one pass over memory less than summing them up before the gate.
   *
   * @param gate (B, 1, D); none where outputs join as they are
   */
  static <T> T joined(Ops<T> ops, T hidden, List<Term<T>> terms, Optional<T> gate) {
    for (Term<T> term : terms) {
      Optional<T> factor = gate;
      if (term.weight().isPresent()) {
        T weight = term.weight().get(); // (B, 1, 1)
        factor = Optional.of(gate.isPresent() ? ops.mul(gate.get(), weight) : weight);
      }
      T output = term.output();
      hidden = ops.add(hidden, factor.isPresent() ? ops.mul(factor.get(), output) : output);
    }
    return hidden;
  }
}
