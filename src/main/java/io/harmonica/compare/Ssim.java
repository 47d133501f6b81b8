package io.harmonica.compare;

import io.harmonica.HarmonicaException;

/**
 * Structural similarity: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error
 * visibility to structural similarity", IEEE TIP 13 (2004), equation 13, with the paper's constants
 * and its 11 x 11 Gaussian window (sigma 1.5).
 *
 * <p>Means and (biased) covariances are taken where the window lies inside the picture; the result
 * is the mean over those places and over the channels. scikit-image gives the same with {@code
 * gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1}.
 */
final class Ssim {
  static final int WINDOW = 11;
  private static final double SIGMA = 1.5;
  private static final double C1 = 0.01 * 0.01; // (K1 L)^2, peak L = 1
  private static final double C2 = 0.03 * 0.03; // (K2 L)^2
  private static final double[] GAUSSIAN = gaussian();

  private Ssim() {}

  /** Compares two pictures {@code [channels, height, width]} of brightness 0..1. */
  static double of(double[] x, double[] y, int channels, int height, int width) {
    if (height < WINDOW || width < WINDOW) {
      throw new HarmonicaException(
          "SSIM needs pictures of at least %d x %d, these have %d x %d; compare larger ones"
              .formatted(WINDOW, WINDOW, height, width));
    }
    double sum = 0;
    for (int channel = 0; channel < channels; channel++) {
      sum += channel(x, y, channel * height * width, height, width);
    }
    return sum / channels;
  }

  private static double channel(double[] x, double[] y, int first, int height, int width) {
    int plane = height * width;
    double[][] moments = new double[5][plane]; // x, y, x^2, y^2, xy
    for (int i = 0; i < plane; i++) {
      double a = x[first + i];
      double b = y[first + i];
      moments[0][i] = a;
      moments[1][i] = b;
      moments[2][i] = a * a;
      moments[3][i] = b * b;
      moments[4][i] = a * b;
    }
    for (int i = 0; i < moments.length; i++) {
      moments[i] = windowed(moments[i], height, width);
    }
    double sum = 0;
    for (int i = 0; i < moments[0].length; i++) {
      double meanX = moments[0][i];
      double meanY = moments[1][i];
      double varianceX = moments[2][i] - meanX * meanX;
      double varianceY = moments[3][i] - meanY * meanY;
      double covariance = moments[4][i] - meanX * meanY;
      sum +=
          (2 * meanX * meanY + C1)
              * (2 * covariance + C2)
              / ((meanX * meanX + meanY * meanY + C1) * (varianceX + varianceY + C2));
    }
    return sum / moments[0].length;
  }

  /** The Gaussian mean around each place whose window lies inside: first along rows, then down. */
  private static double[] windowed(double[] plane, int height, int width) {
    int across = width - WINDOW + 1;
    int down = height - WINDOW + 1;
    double[] rows = new double[height * across];
    for (int i = 0; i < rows.length; i++) {
      for (int k = 0; k < WINDOW; k++) {
        rows[i] += GAUSSIAN[k] * plane[i / across * width + i % across + k];
      }
    }
    double[] means = new double[down * across];
    for (int i = 0; i < means.length; i++) {
      for (int k = 0; k < WINDOW; k++) {
        means[i] += GAUSSIAN[k] * rows[i + k * across];
      }
    }
    return means;
  }

  private static double[] gaussian() {
    double[] weights = new double[WINDOW];
    double sum = 0;
    for (int k = 0; k < WINDOW; k++) {
      double distance = k - WINDOW / 2;
      weights[k] = Math.exp(-distance * distance / (2 * SIGMA * SIGMA));
      sum += weights[k];
    }
    for (int k = 0; k < WINDOW; k++) {
      weights[k] /= sum;
    }
    return weights;
  }
}
