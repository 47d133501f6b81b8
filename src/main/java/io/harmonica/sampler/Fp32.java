package io.harmonica.sampler;

/**
 * torch's arithmetic in fp32, as far as samplers follow it to the last bits. By {@link StrictMath}:
 * the timesteps that come of it are in routers, and must be the same on every machine.
 */
final class Fp32 {
  private Fp32() {}

  /** {@code linspace}: from either end to the middle, by a fused multiply-add. */
  static float linspace(int i, int count, float start, float end) {
    float stride = count == 1 ? 0 : (end - start) / (count - 1);
    return i < count / 2 ? Math.fma(stride, i, start) : Math.fma(-stride, count - 1 - i, end);
  }

  static float exp(float x) {
    return (float) StrictMath.exp(x);
  }

  static float expm1(float x) {
    return (float) StrictMath.expm1(x);
  }

  static float log(float x) {
    return (float) StrictMath.log(x);
  }

  static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }

  /** {@code ln(1 + e^x)}, torch's {@code logaddexp} of x and 0. */
  static float softplus(float x) {
    return Math.max(x, 0) + (float) StrictMath.log1p(exp(-Math.abs(x)));
  }

  /**
   * Where the line through points next to x is at x; beyond the ends, the outermost lines.
   *
   * @param xs increasing
   */
  static float interpolate(float x, float[] xs, float[] ys) {
    int found = java.util.Arrays.binarySearch(xs, x);
    int above = found >= 0 ? found : -found - 1;
    int start = Math.min(Math.max(above - 1, 0), xs.length - 2);
    float slope = x - xs[start];
    return ys[start] + slope * (ys[start + 1] - ys[start]) / (xs[start + 1] - xs[start]);
  }
}
