package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Decoder;
import io.harmonica.model.LatentSpace;
import io.harmonica.model.Origin;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An autoencoder's decoder in the names of CompVis' latent diffusion ({@code
 * ldm/modules/diffusionmodules/model.py}), as U-ViT's {@code autoencoder_kl.pth} has it: without a
 * configuration, so shapes say the sizes.
 */
final class CompVisAutoencoder {
  private static final String FIRST = "decoder.conv_in.weight";
  private static final String LEVEL = "decoder.up.%d.block.0.conv1.weight";
  private static final String LAYER = "decoder.up.0.block.%d.conv1.weight";
  private static final String QUANTISED = "post_quant_conv.weight";

  /** Of every group norm there. */
  private static final int GROUPS = 32;

  /** What modules of diffusers are called there, longer names first; levels beside. */
  private static final List<Map.Entry<String, String>> MODULES =
      List.of(
          Map.entry("mid_block.resnets.0", "mid.block_1"),
          Map.entry("mid_block.resnets.1", "mid.block_2"),
          Map.entry("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
          Map.entry("mid_block.attentions.0.to_q", "mid.attn_1.q"),
          Map.entry("mid_block.attentions.0.to_k", "mid.attn_1.k"),
          Map.entry("mid_block.attentions.0.to_v", "mid.attn_1.v"),
          Map.entry("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
          Map.entry("upsamplers.0.conv", "upsample.conv"),
          Map.entry("conv_shortcut", "nin_shortcut"),
          Map.entry("conv_norm_out", "norm_out"),
          Map.entry("resnets", "block"));

  private CompVisAutoencoder() {}

  /** Whether a file without configuration has these names. */
  static boolean isOne(Checkpoint checkpoint) {
    return checkpoint.config().isEmpty() && checkpoint.names().contains(LEVEL.formatted(0));
  }

  static Autoencoder of(Checkpoint checkpoint) {
    Unread.DECODER.refuseWrapped(checkpoint);
    StateDict file = new StateDict(checkpoint, "CompVis' latent diffusion");
    List<Integer> widths = new ArrayList<>();
    for (int level = 0; checkpoint.names().contains(LEVEL.formatted(level)); level++) {
      widths.add(file.size(LEVEL.formatted(level), 4, 0));
    }
    if (widths.stream().anyMatch(width -> width % GROUPS != 0)) {
      throw new HarmonicaException(
          "%s: the decoder's blocks have %s channels, expected multiples of the %d groups of its norms"
              .formatted(checkpoint.path(), widths, GROUPS));
    }
    int layers = 0;
    while (checkpoint.names().contains(LAYER.formatted(layers + 1))) {
      layers++;
    }
    int out = file.size("decoder.conv_out.weight", 4, 0);
    if (out != 1 && out != 3) {
      throw new HarmonicaException(
          "%s: decoder.conv_out.weight makes %d channels, expected 1 or 3"
              .formatted(checkpoint.path(), out));
    }
    Decoder decoder =
        new Decoder(
            new LatentSpace(file.size(FIRST, 4, 1), Origin.LATENT_SCALE),
            out,
            widths,
            layers,
            GROUPS,
            checkpoint.names().contains(QUANTISED),
            checkpoint.names().contains("decoder.mid.attn_1.q.weight"),
            true);
    int last = widths.size() - 1;
    CheckpointWeights weights =
        new CheckpointWeights(checkpoint, name -> source(name, last), Unread.DECODER);
    return Autoencoder.of(checkpoint, decoder, weights, false);
  }

  /**
   * Where a parameter lies.
   *
   * @param last number of the last level: they count down there
   */
  static Source source(String name, int last) {
    String theirs = name;
    if (name.startsWith("decoder.up_blocks.")) {
      String[] words = name.split("\\.", 4);
      theirs = "decoder.up.%d.%s".formatted(last - Integer.parseInt(words[2]), words[3]);
    }
    for (Map.Entry<String, String> module : MODULES) {
      theirs = theirs.replace("." + module.getKey() + ".", "." + module.getValue() + ".");
    }
    boolean map = name.contains(".attentions.0.to_") && name.endsWith(".weight");
    return new Source(theirs, List.of(0), 1, map ? 2 : 0); // a 1 x 1 convolution there
  }
}
