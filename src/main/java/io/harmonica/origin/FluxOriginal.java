package io.harmonica.origin;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.List;
import java.util.Map;

/**
 * FLUX.1 as Black Forest Labs save it ({@code flux1-dev.safetensors}; {@code src/flux/model.py}).
 * Its last modulation has shift before scale, diffusers' the other way round ({@code
 * scripts/convert_flux_to_diffusers.py}).
 */
final class FluxOriginal {
  /** What no other model has. */
  static final String FIRST = "double_blocks.0.img_attn.qkv.weight";

  private static final int HEAD = 128; // elements, in all that were published

  private static final Map<String, Source> OUTSIDE =
      Map.ofEntries(
          Map.entry("x_embedder", Source.of("img_in")),
          Map.entry("context_embedder", Source.of("txt_in")),
          Map.entry("time_text_embed.timestep_embedder.linear_1", Source.of("time_in.in_layer")),
          Map.entry("time_text_embed.timestep_embedder.linear_2", Source.of("time_in.out_layer")),
          Map.entry(
              "time_text_embed.guidance_embedder.linear_1", Source.of("guidance_in.in_layer")),
          Map.entry(
              "time_text_embed.guidance_embedder.linear_2", Source.of("guidance_in.out_layer")),
          Map.entry("time_text_embed.text_embedder.linear_1", Source.of("vector_in.in_layer")),
          Map.entry("time_text_embed.text_embedder.linear_2", Source.of("vector_in.out_layer")),
          Map.entry("norm_out.linear", Source.swapped("final_layer.adaLN_modulation.1")),
          Map.entry("proj_out", Source.of("final_layer.linear")));

  private static final Map<String, Source> DOUBLE =
      Map.ofEntries(
          Map.entry("norm1.linear", Source.of("img_mod.lin")),
          Map.entry("norm1_context.linear", Source.of("txt_mod.lin")),
          Map.entry("attn.to_q", Source.part("img_attn.qkv", 0, 3)),
          Map.entry("attn.to_k", Source.part("img_attn.qkv", 1, 3)),
          Map.entry("attn.to_v", Source.part("img_attn.qkv", 2, 3)),
          Map.entry("attn.to_out.0", Source.of("img_attn.proj")),
          Map.entry("attn.norm_q.weight", Source.of("img_attn.norm.query_norm.scale")),
          Map.entry("attn.norm_k.weight", Source.of("img_attn.norm.key_norm.scale")),
          Map.entry("attn.add_q_proj", Source.part("txt_attn.qkv", 0, 3)),
          Map.entry("attn.add_k_proj", Source.part("txt_attn.qkv", 1, 3)),
          Map.entry("attn.add_v_proj", Source.part("txt_attn.qkv", 2, 3)),
          Map.entry("attn.to_add_out", Source.of("txt_attn.proj")),
          Map.entry("attn.norm_added_q.weight", Source.of("txt_attn.norm.query_norm.scale")),
          Map.entry("attn.norm_added_k.weight", Source.of("txt_attn.norm.key_norm.scale")),
          Map.entry("ff.net.0.proj", Source.of("img_mlp.0")),
          Map.entry("ff.net.2", Source.of("img_mlp.2")),
          Map.entry("ff_context.net.0.proj", Source.of("txt_mlp.0")),
          Map.entry("ff_context.net.2", Source.of("txt_mlp.2")));

  /** The first linear map of these is queries, keys and values, and four widths of the MLP. */
  private static final Map<String, Source> SINGLE =
      Map.ofEntries(
          Map.entry("norm.linear", Source.of("modulation.lin")),
          Map.entry("attn.to_q", Source.part("linear1", 0, 7)),
          Map.entry("attn.to_k", Source.part("linear1", 1, 7)),
          Map.entry("attn.to_v", Source.part("linear1", 2, 7)),
          Map.entry("proj_mlp", new Source("linear1", List.of(3, 4, 5, 6), 7, 0)),
          Map.entry("proj_out", Source.of("linear2")),
          Map.entry("attn.norm_q.weight", Source.of("norm.query_norm.scale")),
          Map.entry("attn.norm_k.weight", Source.of("norm.key_norm.scale")));

  static final ModuleNames NAMES =
      new ModuleNames(
          OUTSIDE,
          List.of(
              new ModuleNames.Blocks("transformer_blocks", "double_blocks", DOUBLE),
              new ModuleNames.Blocks("single_transformer_blocks", "single_blocks", SINGLE)));

  private FluxOriginal() {}

  /** What diffusers' configuration of it would say, by the shapes of its weights. */
  static Config config(Checkpoint checkpoint) {
    StateDict file = new StateDict(checkpoint, "FLUX.1");
    int head = file.size("double_blocks.0.img_attn.norm.query_norm.scale", 1, 0);
    if (head != HEAD) {
      throw new HarmonicaException(
          "%s: its heads have %d elements, expected %d as in all that were published, and the file does not say how many of them turn with rows and columns: put diffusers' config.json beside it, with axes_dims_rope"
              .formatted(checkpoint.path(), head, HEAD));
    }
    List<Long> first = file.shape("img_in.weight", 2);
    int out = file.size("final_layer.linear.weight", 2, 0);
    if (first.get(1) != out) {
      throw new HarmonicaException(
          "%s takes %d channels and makes %d, as variants do that are shown a picture (Fill, Depth, Canny): only those that texts alone lead are supported, FLUX.1-dev and schnell"
              .formatted(checkpoint.path(), first.get(1), out));
    }
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    fields
        .put("in_channels", out)
        .put("num_attention_heads", first.get(0).intValue() / head)
        .put("attention_head_dim", head)
        .put("num_layers", file.count("double_blocks.%d.img_attn.qkv.weight"))
        .put("num_single_layers", file.count("single_blocks.%d.linear1.weight"))
        .put("joint_attention_dim", file.size("txt_in.weight", 2, 1))
        .put("pooled_projection_dim", file.size("vector_in.in_layer.weight", 2, 1))
        .put("guidance_embeds", checkpoint.names().contains("guidance_in.in_layer.weight"));
    return new Config(fields, checkpoint.path().toString());
  }
}
