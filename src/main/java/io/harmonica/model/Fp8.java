package io.harmonica.model;

/**
 * The 8-bit floating-point number with 4 bits of exponent and 3 of mantissa that has no infinities,
 * E4M3FN (Micikevicius et al., arXiv 2209.05433), to and from float.
 */
public final class Fp8 {
  /** The largest one. */
  public static final float MOST = 448;

  private static final float TWO_TO_120 = 0x1p120f; // 127 - 7: between the exponents' biases
  private static final int NAN = 0x7f;
  private static final int LARGEST = 0x7e;

  private Fp8() {}

  /** The exact value. */
  public static float toFloat(byte bits) {
    int magnitude = bits & 0x7f;
    float value = magnitude == NAN ? Float.NaN : Float.intBitsToFloat(magnitude << 20) * TWO_TO_120;
    return bits < 0 ? -value : value;
  }

  /** The nearest one, ties to even; beyond {@link #MOST} that. */
  public static byte fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 24 & 0x80;
    float magnitude = Math.abs(value);
    if (Float.isNaN(value)) {
      return (byte) (sign | NAN);
    }
    if (magnitude < 0x1p-6f) { // multiples of 2^-9; Math.rint rounds ties to even
      return (byte) (sign | (int) Math.rint(magnitude * 0x1p9));
    }
    int rounded = (bits & 0x7fffffff) + 0x7ffff + (bits >>> 20 & 1) - (120 << 23);
    return (byte) (sign | Math.min(rounded >>> 20, LARGEST));
  }
}
