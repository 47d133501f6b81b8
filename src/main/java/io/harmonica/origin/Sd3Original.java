package io.harmonica.origin;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Stable Diffusion 3 and 3.5 as Stability AI save them ({@code sd3.5_medium.safetensors}; {@code
 * mmditx.py}). Two modulations of two rows have shift before scale there, diffusers' the other way
 * round ({@code scripts/convert_sd3_to_diffusers.py}): the head's, and the last block's of the
 * text.
 */
final class Sd3Original {
  /** What no other model has. */
  static final String FIRST = "joint_blocks.0.x_block.attn.qkv.weight";

  private static final int HEAD = 64; // elements, in all that were published

  private static final Map<String, Source> OUTSIDE =
      Map.ofEntries(
          Map.entry("pos_embed.proj", Source.of("x_embedder.proj")),
          Map.entry("pos_embed.pos_embed", Source.of("pos_embed")),
          Map.entry("time_text_embed.timestep_embedder.linear_1", Source.of("t_embedder.mlp.0")),
          Map.entry("time_text_embed.timestep_embedder.linear_2", Source.of("t_embedder.mlp.2")),
          Map.entry("time_text_embed.text_embedder.linear_1", Source.of("y_embedder.mlp.0")),
          Map.entry("time_text_embed.text_embedder.linear_2", Source.of("y_embedder.mlp.2")),
          Map.entry("context_embedder", Source.of("context_embedder")),
          Map.entry("norm_out.linear", Source.swapped("final_layer.adaLN_modulation.1")),
          Map.entry("proj_out", Source.of("final_layer.linear")));

  private static final Map<String, Source> IN_BLOCKS =
      Map.ofEntries(
          Map.entry("norm1.linear", Source.of("x_block.adaLN_modulation.1")),
          Map.entry("norm1_context.linear", Source.of("context_block.adaLN_modulation.1")),
          Map.entry("attn.to_q", Source.part("x_block.attn.qkv", 0, 3)),
          Map.entry("attn.to_k", Source.part("x_block.attn.qkv", 1, 3)),
          Map.entry("attn.to_v", Source.part("x_block.attn.qkv", 2, 3)),
          Map.entry("attn.to_out.0", Source.of("x_block.attn.proj")),
          Map.entry("attn.norm_q", Source.of("x_block.attn.ln_q")),
          Map.entry("attn.norm_k", Source.of("x_block.attn.ln_k")),
          Map.entry("attn.add_q_proj", Source.part("context_block.attn.qkv", 0, 3)),
          Map.entry("attn.add_k_proj", Source.part("context_block.attn.qkv", 1, 3)),
          Map.entry("attn.add_v_proj", Source.part("context_block.attn.qkv", 2, 3)),
          Map.entry("attn.to_add_out", Source.of("context_block.attn.proj")),
          Map.entry("attn.norm_added_q", Source.of("context_block.attn.ln_q")),
          Map.entry("attn.norm_added_k", Source.of("context_block.attn.ln_k")),
          Map.entry("attn2.to_q", Source.part("x_block.attn2.qkv", 0, 3)),
          Map.entry("attn2.to_k", Source.part("x_block.attn2.qkv", 1, 3)),
          Map.entry("attn2.to_v", Source.part("x_block.attn2.qkv", 2, 3)),
          Map.entry("attn2.to_out.0", Source.of("x_block.attn2.proj")),
          Map.entry("attn2.norm_q", Source.of("x_block.attn2.ln_q")),
          Map.entry("attn2.norm_k", Source.of("x_block.attn2.ln_k")),
          Map.entry("ff.net.0.proj", Source.of("x_block.mlp.fc1")),
          Map.entry("ff.net.2", Source.of("x_block.mlp.fc2")),
          Map.entry("ff_context.net.0.proj", Source.of("context_block.mlp.fc1")),
          Map.entry("ff_context.net.2", Source.of("context_block.mlp.fc2")));

  private static final ModuleNames NAMES =
      new ModuleNames(
          OUTSIDE,
          List.of(new ModuleNames.Blocks("transformer_blocks", "joint_blocks", IN_BLOCKS)));

  private Sd3Original() {}

  /**
   * Where a parameter lies.
   *
   * @param depth blocks
   */
  static Source source(String name, int depth) {
    Source source = NAMES.source(name);
    boolean last = name.startsWith("transformer_blocks.%d.norm1_context.".formatted(depth - 1));
    return last ? Source.swapped(source.tensor()) : source;
  }

  /** What diffusers' configuration of it would say, by the shapes of its weights. */
  static Config config(Checkpoint checkpoint, OptionalInt statedHeads) {
    StateDict file = new StateDict(checkpoint, "Stable Diffusion 3");
    List<Long> embedder = file.shape("x_embedder.proj.weight", 4);
    int width = embedder.get(0).intValue();
    int patch = embedder.get(2).intValue();
    int depth = file.count("joint_blocks.%d.x_block.attn.qkv.weight");
    boolean normed = checkpoint.names().contains("joint_blocks.0.x_block.attn.ln_q.weight");
    int heads = heads(file, width, depth, normed, statedHeads);
    int most = (int) Math.round(Math.sqrt(file.size("pos_embed", 3, 1)));
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    fields
        .put("sample_size", Math.min(128, most * patch))
        .put("pos_embed_max_size", most)
        .put("patch_size", patch)
        .put("in_channels", embedder.get(1).intValue())
        .put("out_channels", file.size("final_layer.linear.weight", 2, 0) / (patch * patch))
        .put("num_layers", depth)
        .put("num_attention_heads", heads)
        .put("attention_head_dim", width / heads)
        .put("caption_projection_dim", width)
        .put("joint_attention_dim", file.size("context_embedder.weight", 2, 1))
        .put("pooled_projection_dim", file.size("y_embedder.mlp.0.weight", 2, 1))
        .put("qk_norm", normed ? "rms_norm" : null);
    ArrayNode dual = fields.putArray("dual_attention_layers");
    for (int block = 0; block < depth; block++) {
      if (checkpoint
          .names()
          .contains("joint_blocks.%d.x_block.attn2.qkv.weight".formatted(block))) {
        dual.add(block);
      }
    }
    return new Config(fields, checkpoint.path().toString());
  }

  /** By the norm of each head; without these as published, else as stated. */
  private static int heads(
      StateDict file, int width, int depth, boolean normed, OptionalInt stated) {
    if (normed) {
      return width / file.size("joint_blocks.0.x_block.attn.ln_q.weight", 1, 0);
    }
    if (width == depth * HEAD) {
      return depth;
    }
    int heads =
        stated.orElseThrow(
            () ->
                new HarmonicaException(
                    "%s: %d blocks of width %d are no published Stable Diffusion 3 and the file does not say how many heads they have; add `heads` N"
                        .formatted(file.checkpoint().path(), depth, width)));
    if (width % heads != 0) {
      throw new HarmonicaException(
          "%s: width %d is not divisible by %d heads; check `heads`"
              .formatted(file.checkpoint().path(), width, heads));
    }
    return heads;
  }
}
