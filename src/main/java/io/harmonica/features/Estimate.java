package io.harmonica.features;

import java.util.List;

/**
 * A measured value with its 95 % interval.
 *
 * @param low where the interval begins
 * @param high where it ends
 */
public record Estimate(double value, double low, double high) {
  private static final double Z = 1.959963984540054; // 97.5 % point of the normal distribution

  /**
   * The mean of independent values, with the normal interval {@code mean ± 1.96 s / √n}; without
   * one, NaN, for a single value. Infinite values (PSNR of an identical picture) make all of it
   * infinite.
   */
  public static Estimate mean(List<Double> values) {
    int n = values.size();
    if (n == 0) {
      throw new IllegalArgumentException("the mean of no values");
    }
    double mean = values.stream().mapToDouble(Double::doubleValue).sum() / n;
    if (Double.isInfinite(mean)) {
      return new Estimate(mean, mean, mean);
    }
    double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
    return symmetric(mean, Z * Math.sqrt(squares / (n - 1) / n));
  }

  /**
   * A share of right ones, with Wilson's score interval (1927), which stays inside 0..1 and holds
   * near 1, where accuracies are.
   */
  public static Estimate share(int right, int of) {
    if (right < 0 || of < 1 || right > of) {
      throw new IllegalArgumentException("a share of %d in %d".formatted(right, of));
    }
    double p = (double) right / of;
    double weight = Z * Z / of;
    double middle = (p + weight / 2) / (1 + weight);
    double half = Z * Math.sqrt((p * (1 - p) + weight / 4) / of) / (1 + weight);
    return new Estimate(p, Math.min(p, middle - half), Math.max(p, middle + half));
  }

  public static Estimate symmetric(double value, double half) {
    return new Estimate(value, value - half, value + half);
  }
}
