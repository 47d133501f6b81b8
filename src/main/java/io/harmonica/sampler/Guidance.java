package io.harmonica.sampler;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Classifier-free guidance (Ho and Salimans, arXiv 2207.12598): {@code uncond + scale * (cond -
 * uncond)}.
 *
 * @param scale 1 or less: the batch holds no unconditional half, and the prediction is taken as it
 *     is
 * @param channels how many channels it acts on: all in diffusers, 3 in facebook's DiT, where the
 *     others stay conditional
 * @param conditionalFirst which half of a batch is the conditional one: the first of labels, the
 *     second of texts
 */
public record Guidance(double scale, int channels, boolean conditionalFirst) {

  /** Rows of a batch for each picture, of guidance on this scale: two where it acts. */
  public static int rows(double scale) {
    return scale > 1 ? 2 : 1;
  }

  /** Rows of a batch for each picture. */
  public int rows() {
    return rows(scale);
  }

  public boolean doublesBatch() {
    return rows() == 2;
  }

  /**
   * The output to step with, from the model's prediction; a learned variance is left out.
   *
   * @param prediction [B or 2 B, outputChannels, H, W]
   * @param output [B, C, H, W], filled
   * @param plane H times W
   */
  public void apply(
      FloatBuffer prediction, float[] output, int sampleChannels, int outputChannels, int plane) {
    int batch = output.length / (sampleChannels * plane);
    int stride = outputChannels * plane;
    for (int b = 0; b < batch; b++) {
      int target = b * sampleChannels * plane;
      prediction.get(row(b, batch, true) * stride, output, target, sampleChannels * plane);
      if (!doublesBatch()) {
        continue;
      }
      int unconditional = row(b, batch, false) * stride;
      for (int i = 0; i < channels * plane; i++) {
        float uncond = prediction.get(unconditional + i);
        output[target + i] = (float) (uncond + scale * (output[target + i] - uncond));
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
  public void variance(
      FloatBuffer prediction, float[] variance, int sampleChannels, int outputChannels, int plane) {
    int size = sampleChannels * plane;
    int batch = variance.length / size;
    for (int b = 0; b < batch; b++) {
      int row = row(b, batch, true) * outputChannels * plane;
      prediction.get(row + size, variance, b * size, size);
    }
  }

  /** The scale of each channel of a sample; 1 where guidance does not act. */
  public float[] scales(int sampleChannels) {
    float[] scales = new float[sampleChannels];
    Arrays.fill(scales, 1);
    if (doublesBatch()) {
      Arrays.fill(scales, 0, channels, (float) scale);
    }
    return scales;
  }

  /** The row of a picture's prediction, with the condition or without; one without guidance. */
  public int row(int picture, int pictures, boolean conditional) {
    return !doublesBatch() || conditional == conditionalFirst ? picture : pictures + picture;
  }
}
