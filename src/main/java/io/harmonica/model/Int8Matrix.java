package io.harmonica.model;

import java.util.function.DoubleUnaryOperator;

/**
 * The weight of a linear map in 8 bits: for each output whole numbers from -127 to 127, and what
 * one of them is worth, a 127th of the output's largest weight.
 *
 * @param codes row-major, [out, in]
 * @param scales what a code is worth, [out]
 */
public record Int8Matrix(byte[] codes, float[] scales) {
  /** The largest code; -128 is not used, so that both signs reach as far. */
  public static final int MOST = 127;

  /** What a largest value counts at least, so that zeros alone are no division by zero. */
  public static final float TINY = 1e-8f;

  /**
   * Rounds a weight.
   *
   * @param weight row-major, [out, in]
   * @param held what becomes of a scale in the precision that keeps it: codes are of that one
   */
  public static Int8Matrix of(float[] weight, int out, int in, DoubleUnaryOperator held) {
    byte[] codes = new byte[weight.length];
    float[] scales = new float[out];
    for (int o = 0; o < out; o++) {
      float largest = TINY;
      for (int i = o * in; i < (o + 1) * in; i++) {
        largest = Math.max(largest, Math.abs(weight[i])); // NaN stays
      }
      scales[o] = (float) held.applyAsDouble(largest / MOST);
      for (int i = o * in; i < (o + 1) * in; i++) {
        codes[i] = (byte) Math.max(-MOST, Math.min(MOST, Math.rint(weight[i] / scales[o])));
      }
    }
    return new Int8Matrix(codes, scales);
  }

  /** The weights that it stands for, as {@link #of} takes them. */
  public float[] values() {
    float[] values = new float[codes.length];
    int in = codes.length / scales.length;
    for (int i = 0; i < values.length; i++) {
      values[i] = codes[i] * scales[i / in];
    }
    return values;
  }
}
