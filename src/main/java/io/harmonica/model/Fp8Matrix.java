package io.harmonica.model;

import java.util.function.DoubleUnaryOperator;

/**
 * The weight of a linear map in floating-point numbers of 8 bits, and for each output what a 1 of
 * them is worth: a 448th of its largest weight.
 *
 * @param codes row-major, [out, in], each the bits of an {@link Fp8}
 * @param scales [out]
 */
public record Fp8Matrix(byte[] codes, float[] scales) {
  /**
   * Rounds a weight.
   *
   * @param weight row-major, [out, in]
   * @param held what becomes of a scale in the precision that keeps it: codes are of that one
   */
  public static Fp8Matrix of(float[] weight, int out, int in, DoubleUnaryOperator held) {
    byte[] codes = new byte[weight.length];
    float[] scales = new float[out];
    for (int o = 0; o < out; o++) {
      float largest = Int8Matrix.TINY;
      for (int i = o * in; i < (o + 1) * in; i++) {
        largest = Math.max(largest, Math.abs(weight[i])); // NaN stays
      }
      scales[o] = (float) held.applyAsDouble(largest / Fp8.MOST);
      for (int i = o * in; i < (o + 1) * in; i++) {
        codes[i] = Fp8.fromFloat(weight[i] / scales[o]);
      }
    }
    return new Fp8Matrix(codes, scales);
  }

  /** The weights that it stands for, as {@link #of} takes them. */
  public float[] values() {
    float[] values = new float[codes.length];
    int in = codes.length / scales.length;
    for (int i = 0; i < values.length; i++) {
      values[i] = Fp8.toFloat(codes[i]) * scales[i / in];
    }
    return values;
  }
}
