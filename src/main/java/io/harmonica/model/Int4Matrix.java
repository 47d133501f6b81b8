package io.harmonica.model;

/**
 * The weight of a linear map in 4 bits: whole numbers from -8 to 7, and for each block of an
 * output's inputs what one of them is worth, a seventh of the block's largest weight.
 *
 * @param codes two a byte, the first in the lower half, row-major [in, out], as engines keep them
 * @param scales what a code is worth, [in / block, out]
 * @param block inputs of a block
 */
public record Int4Matrix(byte[] codes, float[] scales, int block) {
  /** Inputs that share a scale, where the map has so many. */
  public static final int BLOCK = 64;

  /** The code of a block's largest weight, where that is positive. */
  public static final int MOST = 7;

  private static final int LEAST = -8;

  /** How weights come to their codes. */
  public interface Rounding {
    /**
     * Rounds a map's weight.
     *
     * @param name of the weight
     * @param weight row-major, [out, in]
     */
    Int4Matrix of(String name, float[] weight, int out, int in);
  }

  /**
   * Inputs of a block: all blocks of a map are equal, so that it needs no telling where they end.
   */
  public static int block(int in) {
    int block = Math.min(BLOCK, in);
    while (in % block != 0) {
      block--;
    }
    return block;
  }

  /** The code of a weight. */
  public static int code(double weight, double scale) {
    return (int) Math.max(LEAST, Math.min(MOST, Math.rint(weight / scale)));
  }

  /**
   * Of codes, one a byte.
   *
   * @param codes row-major, [in, out]
   */
  public static Int4Matrix packed(byte[] codes, float[] scales, int block) {
    byte[] packed = new byte[(codes.length + 1) / 2];
    for (int i = 0; i < codes.length; i++) {
      packed[i / 2] |= (byte) ((codes[i] & 0xf) << 4 * (i % 2));
    }
    return new Int4Matrix(packed, scales, block);
  }

  /** The weights that it stands for, row-major [out, in]. */
  public float[] values(int out, int in) {
    float[] values = new float[out * in];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        int place = i * out + o;
        int code = (byte) (codes[place / 2] << 4 * (1 - place % 2)) >> 4; // the sign goes with it
        values[o * in + i] = code * scales[i / block * out + o];
      }
    }
    return values;
  }
}
