package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
import java.nio.FloatBuffer;

/**
 * Skip-layer guidance (Stability AI's for Stable Diffusion 3.5; diffusers {@code
 * StableDiffusion3Pipeline}): at some steps the output also leads away from what the model predicts
 * for the same condition without some of its blocks, {@code e + scale * (cond - skipped)}.
 *
 * @param scale diffusers: 2.8
 * @param start it acts at steps k with {@code start * steps < k < stop * steps}, both strict, k
 *     from 0; diffusers: 0.01 to 0.2
 * @param stop see {@code start}
 */
public record SkipLayerGuidance(double scale, double start, double stop) {
  /** Where it acts in diffusers, unless a call says otherwise. */
  public static final double DEFAULT_START = 0.01;

  /** See {@link #DEFAULT_START}. */
  public static final double DEFAULT_STOP = 0.2;

  public SkipLayerGuidance {
    if (!Double.isFinite(scale) || scale <= 0) {
      throw new InvalidProperty(
          "skipLayerGuidance", "scale %s must be a number above 0".formatted(scale));
    }
    if (!(start >= 0 && start < stop && stop <= 1)) {
      throw new InvalidProperty(
          "skipLayerGuidance",
          "from %s to %s of the steps must be a range within 0 to 1".formatted(start, stop));
    }
  }

  /** On diffusers' range of steps. */
  public static SkipLayerGuidance of(double scale) {
    return new SkipLayerGuidance(scale, DEFAULT_START, DEFAULT_STOP);
  }

  /** Whether it acts at a step of so many. */
  public boolean actsAt(int step, int steps) {
    return steps * start < step && step < steps * stop;
  }

  /**
   * Adds it to a guided output.
   *
   * @param prediction of the whole model, as {@link Guidance#apply} takes it
   * @param skipped prediction without the blocks, of the condition alone: [B, outputChannels, H, W]
   * @param output [B, C, H, W], changed on the channels that guidance acts on
   * @param plane H times W
   */
  public void add(
      Guidance guidance,
      FloatBuffer prediction,
      float[] skipped,
      float[] output,
      int sampleChannels,
      int outputChannels,
      int plane) {
    int batch = output.length / (sampleChannels * plane);
    int stride = outputChannels * plane;
    for (int b = 0; b < batch; b++) {
      int conditional = guidance.row(b, batch, true) * stride;
      int target = b * sampleChannels * plane;
      for (int i = 0; i < guidance.channels() * plane; i++) {
        float difference = prediction.get(conditional + i) - skipped[b * stride + i];
        output[target + i] = (float) (output[target + i] + scale * difference);
      }
    }
  }
}
