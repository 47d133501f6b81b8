package io.harmonica.features;

import io.harmonica.HarmonicaException;

/**
 * Count, sum and sum of products of feature rows; parts can be added and taken away, which makes
 * leaving one part out cheap.
 */
final class Moments {
  private final double[] sum;
  private final double[][] products; // lower triangle
  private double[] origin; // the first row: sums of differences from it lose no digits
  private int count;

  Moments(int width) {
    sum = new double[width];
    products = new double[width][];
    for (int i = 0; i < width; i++) {
      products[i] = new double[i + 1];
    }
  }

  /**
   * Adds a row.
   *
   * @param sign 1, or -1 to take it away again
   */
  void add(double[] row, int sign) {
    if (origin == null) {
      origin = row.clone();
    }
    count += sign;
    double[] difference = new double[row.length];
    for (int i = 0; i < row.length; i++) {
      difference[i] = row[i] - origin[i];
      sum[i] += sign * difference[i];
      for (int j = 0; j <= i; j++) {
        products[i][j] += sign * difference[i] * difference[j];
      }
    }
  }

  FeatureStatistics statistics(String network) {
    if (count < 2) {
      throw new HarmonicaException(
          "too few pictures for a covariance: %d, expected at least 2, and more than the %d features for one of full rank"
              .formatted(count, sum.length));
    }
    double[] mean = new double[sum.length];
    double[][] covariance = new double[sum.length][];
    for (int i = 0; i < sum.length; i++) {
      mean[i] = origin[i] + sum[i] / count;
      covariance[i] = new double[i + 1];
      for (int j = 0; j <= i; j++) {
        covariance[i][j] = (products[i][j] - sum[i] * sum[j] / count) / (count - 1);
      }
    }
    return new FeatureStatistics(FeatureStatistics.FORMAT, network, count, mean, covariance);
  }
}
