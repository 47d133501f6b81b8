package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * The fields that diffusers' DiT and PixArt share.
 *
 * @param size height and width of a sample as trained, in elements
 */
record DiffusersFields(
    Config config,
    int heads,
    int width,
    int depth,
    int patch,
    int channels,
    int outputChannels,
    int size) {

  static final int MAX_SIDE = 256; // tokens; beyond, attention fits no memory
  private static final int MAX_WIDTH = 1 << 15;

  /**
   * Reads them.
   *
   * @param widthFactor what the width must be divisible by
   * @param outAbsent output channels where the file does not say; 0: as many as of the input
   */
  static DiffusersFields of(
      Path path,
      JsonNode json,
      OptionalInt statedHeads,
      int widthFactor,
      int outAbsent,
      int sizeAbsent) {
    Config fields = new Config(json, path + "/config.json");
    fields.require("activation_fn", "gelu-approximate");
    fields.require("attention_bias", "true");
    fields.require("norm_elementwise_affine", "false");
    fields.require("double_self_attention", "false");
    fields.require("only_cross_attention", "false");
    fields.require("num_vector_embeds", "null");
    fields.require("attention_type", "default");
    int heads = fields.heads(16, statedHeads);
    long width = (long) heads * fields.integer("attention_head_dim", 72);
    fields.check(
        "attention_head_dim",
        width % widthFactor == 0 && width <= MAX_WIDTH,
        "one that makes with num_attention_heads a width divisible by %d, at most %d"
            .formatted(widthFactor, MAX_WIDTH));
    int patch = fields.integer("patch_size", 2);
    int channels = fields.integer("in_channels", 4);
    int out = fields.integer("out_channels", outAbsent == 0 ? channels : outAbsent);
    fields.check("out_channels", fitsOutput(channels, out), output(channels));
    int size = fields.integer("sample_size", sizeAbsent);
    fields.check(
        "sample_size",
        size % patch == 0 && size / patch <= MAX_SIDE,
        "a multiple of patch_size %d, at most %d times it".formatted(patch, MAX_SIDE));
    int depth = fields.integer("num_layers", 28);
    return new DiffusersFields(fields, heads, (int) width, depth, patch, channels, out, size);
  }

  /** Guidance and samplers take as many channels as a sample has; a variance doubles them. */
  static boolean fitsOutput(int channels, int out) {
    return out == channels || out == 2 * channels;
  }

  static String output(int channels) {
    return "%d, or %d with a learned variance".formatted(channels, 2 * channels);
  }

  TransformerSizes sizes() {
    return new TransformerSizes(heads, width, depth, patch, channels, outputChannels, size);
  }
}
