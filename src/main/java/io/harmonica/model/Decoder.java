package io.harmonica.model;

import java.util.List;

/**
 * The half of an autoencoder that makes pictures out of latents (Rombach et al., arXiv 2112.10752;
 * diffusers {@code AutoencoderKL}, whose parameter names are used).
 *
 * @param latents that it takes
 * @param outputChannels of the pictures: 1, or 3
 * @param widths channels of the blocks, at the pictures' size first; each but the first doubles
 *     height and width
 * @param layers residual layers that the encoder has in a block; here there is one more
 * @param groups of channels, in group norms
 * @param quantised whether a 1 x 1 convolution comes first
 * @param attends whether the middle has an attention
 * @param upcast whether it overflows in fp16
 */
public record Decoder(
    LatentSpace latents,
    int outputChannels,
    List<Integer> widths,
    int layers,
    int groups,
    boolean quantised,
    boolean attends,
    boolean upcast) {

  private static final double EPS = 1e-6;

  public Decoder {
    widths = List.copyOf(widths);
  }

  /** C of the latents. */
  public int channels() {
    return latents.channels();
  }

  /**
   * For a denoiser whose latents are not shifted, whatever the autoencoder states: diffusers'
   * pipelines of DiT and PixArt do not add a {@code shift_factor}.
   */
  public Decoder withoutShift() {
    return of(new LatentSpace(channels(), latents.scaling()));
  }

  /** The same for latents that were shifted and multiplied by these. */
  public Decoder of(double scaling, double shift) {
    return of(new LatentSpace(channels(), scaling, shift));
  }

  private Decoder of(LatentSpace other) {
    return new Decoder(other, outputChannels, widths, layers, groups, quantised, attends, upcast);
  }

  /** Side of the square of pixels that an element of the latents becomes. */
  public int pixelsPerElement() {
    return 1 << (widths.size() - 1);
  }

  /** Latents as the denoiser leaves them, (B, C, H, W), to pixels of about -1..1, fp32. */
  public <T> T decode(Ops<T> ops, T denoised) {
    T x = ops.toPrecision(latents.own(ops, denoised));
    if (quantised) {
      x = ops.conv(x, "post_quant_conv", channels(), channels(), 1, 1, 0);
    }
    int width = widths.get(widths.size() - 1);
    x = same(ops, x, "decoder.conv_in", channels(), width);
    x = residual(ops, x, "decoder.mid_block.resnets.0", width, width);
    if (attends) {
      x = attention(ops, x, "decoder.mid_block.attentions.0", width);
    }
    x = residual(ops, x, "decoder.mid_block.resnets.1", width, width);
    for (int block = 0; block < widths.size(); block++) {
      int out = widths.get(widths.size() - 1 - block);
      String name = "decoder.up_blocks." + block;
      for (int layer = 0; layer <= layers; layer++) {
        x = residual(ops, x, name + ".resnets." + layer, width, out);
        width = out;
      }
      if (block < widths.size() - 1) {
        x = same(ops, ops.upsample(x), name + ".upsamplers.0.conv", width, width);
      }
    }
    x = ops.silu(ops.groupNorm(x, "decoder.conv_norm_out", groups, width, EPS));
    return ops.toFloat(same(ops, x, "decoder.conv_out", width, outputChannels));
  }

  /** Two convolutions beside a shortcut: (B, in, H, W) to (B, out, H, W). */
  private <T> T residual(Ops<T> ops, T x, String name, int in, int out) {
    T y = ops.silu(ops.groupNorm(x, name + ".norm1", groups, in, EPS));
    y = same(ops, y, name + ".conv1", in, out);
    y = ops.silu(ops.groupNorm(y, name + ".norm2", groups, out, EPS));
    y = same(ops, y, name + ".conv2", out, out);
    return ops.add(in == out ? x : ops.conv(x, name + ".conv_shortcut", in, out, 1, 1, 0), y);
  }

  /** One head over all elements: (B, width, H, W), added to its input. */
  private <T> T attention(Ops<T> ops, T x, String name, int width) {
    T y = ops.groupNorm(x, name + ".group_norm", groups, width, EPS);
    y = ops.transpose(ops.reshape(y, 0, width, -1), 0, 2, 1); // (B, H W, width)
    T q = ops.linear(y, name + ".to_q", width, width);
    T k = ops.linear(y, name + ".to_k", width, width);
    T v = ops.linear(y, name + ".to_v", width, width);
    y = ops.linear(ops.attention(q, k, v, 1, width), name + ".to_out.0", width, width);
    return ops.add(x, ops.reshapeLike(ops.transpose(y, 0, 2, 1), x));
  }

  /** A 3 x 3 convolution that keeps height and width. */
  private static <T> T same(Ops<T> ops, T x, String name, int in, int out) {
    return ops.conv(x, name, in, out, 3, 1, 1);
  }
}
