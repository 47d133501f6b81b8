package io.harmonica.results;

import io.harmonica.features.Estimate;

/**
 * The numbers of a cell, or of an uncached set.
 *
 * @param key everything that they depend on
 * @param speedup theoretical, as met
 * @param accuracy share of pictures that the network takes for what they were asked to show
 * @param toReal Fréchet distance to drawn pictures
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
   * @param sampler of the uncached trajectory; lines of before there were others lack it
   * @param steps of that trajectory
   * @param variant what was run: digest of a router's content, or {@code uncached-13} for so many
   *     steps
   * @param checkpoint digest of the weights
   * @param network digest of the features' network
   * @param reference digest of the drawn pictures' statistics
   */
  record Key(
      String sampler,
      int steps,
      String variant,
      String checkpoint,
      String network,
      String reference,
      int count,
      double guidance,
      long seed) {
    Key {
      sampler = sampler == null ? "ddim" : sampler;
    }
  }
}
