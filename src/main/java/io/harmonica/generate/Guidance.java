package io.harmonica.generate;

import java.nio.FloatBuffer;

/**
 * Classifier-free guidance (Ho and Salimans, arXiv 2207.12598): {@code uncond + scale * (cond -
 * uncond)}.
 *
 * @param scale 1 or less: the batch holds no unconditional half, and the prediction is taken as it
 *     is
 * @param channels how many channels it acts on: all in diffusers, 3 in facebook's DiT, where the
 *     others stay conditional
 */
record Guidance(double scale, int channels) {

  boolean doublesBatch() {
    return scale > 1;
  }

  /**
   * The noise to step with, from the model's prediction; a learned variance is left out.
   *
   * @param prediction [B or 2 B, outputChannels, H, W], the conditional half first
   * @param epsilon [B, C, H, W], filled
   * @param plane H times W
   */
  void apply(
      FloatBuffer prediction, float[] epsilon, int sampleChannels, int outputChannels, int plane) {
    int batch = epsilon.length / (sampleChannels * plane);
    int stride = outputChannels * plane;
    for (int b = 0; b < batch; b++) {
      int target = b * sampleChannels * plane;
      prediction.get(b * stride, epsilon, target, sampleChannels * plane);
      if (!doublesBatch()) {
        continue;
      }
      int unconditional = (batch + b) * stride;
      for (int i = 0; i < channels * plane; i++) {
        float uncond = prediction.get(unconditional + i);
        epsilon[target + i] = (float) (uncond + scale * (epsilon[target + i] - uncond));
      }
    }
  }

  /**
   * The learned variance: the conditional half's, as guidance leaves it.
   *
   * @param prediction [B or 2 B, outputChannels, H, W], the variance in the channels after the
   *     sample's
   * @param variance [B, C, H, W], filled
   */
  static void variance(
      FloatBuffer prediction, float[] variance, int sampleChannels, int outputChannels, int plane) {
    int size = sampleChannels * plane;
    for (int b = 0; b < variance.length / size; b++) {
      prediction.get(b * outputChannels * plane + size, variance, b * size, size);
    }
  }
}
