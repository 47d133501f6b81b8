package io.harmonica.results;

import io.harmonica.features.Estimate;

/**
 * The numbers of a cell, or of an uncached set.
 *
 * @param key everything that they depend on
 * @param speedup theoretical, as met
 * @param accuracy share of pictures that the network takes for their class
 * @param toReal Fréchet distance to real shapes
 * @param toUncached Fréchet distance to the uncached pictures from the same noise
 */
record Measured(
    Key key,
    double speedup,
    double cur,
    Estimate psnr,
    Estimate ssim,
    Estimate accuracy,
    Estimate toReal,
    Estimate toUncached) {

  /**
   * What the numbers depend on.
   *
   * @param steps of the uncached trajectory
   * @param variant what was run: digest of a router's content, or {@code uncached-13} for so many
   *     steps
   * @param checkpoint digest of the weights
   * @param network digest of the features' network
   * @param reference digest of the real shapes' statistics
   */
  record Key(
      int steps,
      String variant,
      String checkpoint,
      String network,
      String reference,
      int count,
      double guidance,
      long seed) {}
}
