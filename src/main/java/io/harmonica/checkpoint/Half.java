package io.harmonica.checkpoint;

/** IEEE 754 binary16 (F16) and bfloat16 to and from float; JDK 17 has neither. */
public final class Half {
  private static final float TWO_TO_112 = 0x1p112f; // 127 - 15: between the exponents' biases
  private static final int SMALLEST_NORMAL = Float.floatToRawIntBits(0x1p-14f);

  private Half() {}

  /** The exact value of a binary16, subnormals, infinities and NaN included. */
  public static float toFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int magnitude = half & 0x7fff;
    if (magnitude >= 0x7c00) { // infinity or NaN
      return Float.intBitsToFloat(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
    }
    float value = Float.intBitsToFloat(magnitude << 13) * TWO_TO_112; // exact: a power of two
    return sign == 0 ? value : -value;
  }

  /** The nearest binary16, ties to even; beyond 65519 an infinity. */
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return (short) (sign | 0x7e00); // NaN
    }
    if (magnitude < SMALLEST_NORMAL) { // multiples of 2^-24; Math.rint rounds ties to even
      return (short) (sign | (int) Math.rint(Math.abs(value) * 0x1p24));
    }
    int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1) - (112 << 23);
    return (short) (sign | Math.min(rounded >>> 13, 0x7c00));
  }

  /** The exact value of a bfloat16: the upper half of a float. */
  public static float bfloatToFloat(short bfloat) {
    return Float.intBitsToFloat(bfloat << 16);
  }

  /** The nearest bfloat16, ties to even. */
  public static short bfloatFromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.isNaN(value)
        ? (short) (bits >>> 16 | 0x40) // still one with its payload cut off
        : (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }
}
