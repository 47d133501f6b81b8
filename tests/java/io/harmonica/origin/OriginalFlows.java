package io.harmonica.origin;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes FLUX.1 and Stable Diffusion 3 as their authors do: the inverse of diffusers' tools {@code
 * convert_flux_to_diffusers.py} and {@code convert_sd3_to_diffusers.py}, tensor by tensor.
 */
final class OriginalFlows {
  private final Map<String, Floats> diffusers;
  private final Map<String, Floats> original = new LinkedHashMap<>();

  private OriginalFlows(Map<String, Floats> diffusers) {
    this.diffusers = diffusers;
  }

  /** A checkpoint of diffusers' in the original names. */
  static Map<String, Floats> of(Path checkpoint) {
    OriginalFlows flows = new OriginalFlows(Checkpoints.tensors(checkpoint));
    if (flows.diffusers.containsKey("x_embedder.weight")) {
      flows.flux();
    } else {
      flows.sd3();
    }
    return flows.original;
  }

  private void flux() {
    map("img_in", "x_embedder");
    map("txt_in", "context_embedder");
    embedder("time_in", "timestep_embedder");
    embedder("vector_in", "text_embedder");
    if (diffusers.containsKey("time_text_embed.guidance_embedder.linear_1.weight")) {
      embedder("guidance_in", "guidance_embedder");
    }
    for (int i = 0; has("transformer_blocks." + i + ".norm1.linear.weight"); i++) {
      String to = "double_blocks." + i + ".";
      String from = "transformer_blocks." + i + ".";
      map(to + "img_mod.lin", from + "norm1.linear");
      map(to + "txt_mod.lin", from + "norm1_context.linear");
      String attn = from + "attn.";
      map(to + "img_attn.qkv", attn + "to_q", attn + "to_k", attn + "to_v");
      map(to + "txt_attn.qkv", attn + "add_q_proj", attn + "add_k_proj", attn + "add_v_proj");
      tensor(to + "img_attn.norm.query_norm.scale", attn + "norm_q.weight");
      tensor(to + "img_attn.norm.key_norm.scale", attn + "norm_k.weight");
      tensor(to + "txt_attn.norm.query_norm.scale", attn + "norm_added_q.weight");
      tensor(to + "txt_attn.norm.key_norm.scale", attn + "norm_added_k.weight");
      map(to + "img_attn.proj", attn + "to_out.0");
      map(to + "txt_attn.proj", attn + "to_add_out");
      map(to + "img_mlp.0", from + "ff.net.0.proj");
      map(to + "img_mlp.2", from + "ff.net.2");
      map(to + "txt_mlp.0", from + "ff_context.net.0.proj");
      map(to + "txt_mlp.2", from + "ff_context.net.2");
    }
    for (int i = 0; has("single_transformer_blocks." + i + ".norm.linear.weight"); i++) {
      String to = "single_blocks." + i + ".";
      String from = "single_transformer_blocks." + i + ".";
      map(to + "modulation.lin", from + "norm.linear");
      String attn = from + "attn.";
      map(to + "linear1", attn + "to_q", attn + "to_k", attn + "to_v", from + "proj_mlp");
      map(to + "linear2", from + "proj_out");
      tensor(to + "norm.query_norm.scale", attn + "norm_q.weight");
      tensor(to + "norm.key_norm.scale", attn + "norm_k.weight");
    }
    swapped("final_layer.adaLN_modulation.1", "norm_out.linear");
    map("final_layer.linear", "proj_out");
  }

  private void embedder(String to, String from) {
    map(to + ".in_layer", "time_text_embed." + from + ".linear_1");
    map(to + ".out_layer", "time_text_embed." + from + ".linear_2");
  }

  private void sd3() {
    map("x_embedder.proj", "pos_embed.proj");
    tensor("pos_embed", "pos_embed.pos_embed");
    map("t_embedder.mlp.0", "time_text_embed.timestep_embedder.linear_1");
    map("t_embedder.mlp.2", "time_text_embed.timestep_embedder.linear_2");
    map("y_embedder.mlp.0", "time_text_embed.text_embedder.linear_1");
    map("y_embedder.mlp.2", "time_text_embed.text_embedder.linear_2");
    map("context_embedder", "context_embedder");
    for (int i = 0; has("transformer_blocks." + i + ".norm1.linear.weight"); i++) {
      String picture = "joint_blocks." + i + ".x_block.";
      String text = "joint_blocks." + i + ".context_block.";
      String from = "transformer_blocks." + i + ".";
      String attn = from + "attn.";
      map(picture + "adaLN_modulation.1", from + "norm1.linear");
      map(picture + "attn.qkv", attn + "to_q", attn + "to_k", attn + "to_v");
      map(picture + "attn.proj", attn + "to_out.0");
      map(picture + "mlp.fc1", from + "ff.net.0.proj");
      map(picture + "mlp.fc2", from + "ff.net.2");
      map(text + "attn.qkv", attn + "add_q_proj", attn + "add_k_proj", attn + "add_v_proj");
      if (has(attn + "norm_q.weight")) {
        tensor(picture + "attn.ln_q.weight", attn + "norm_q.weight");
        tensor(picture + "attn.ln_k.weight", attn + "norm_k.weight");
        tensor(text + "attn.ln_q.weight", attn + "norm_added_q.weight");
        tensor(text + "attn.ln_k.weight", attn + "norm_added_k.weight");
      }
      String second = from + "attn2.";
      if (has(second + "to_q.weight")) {
        map(picture + "attn2.qkv", second + "to_q", second + "to_k", second + "to_v");
        map(picture + "attn2.proj", second + "to_out.0");
        tensor(picture + "attn2.ln_q.weight", second + "norm_q.weight");
        tensor(picture + "attn2.ln_k.weight", second + "norm_k.weight");
      }
      if (has(attn + "to_add_out.weight")) {
        map(text + "adaLN_modulation.1", from + "norm1_context.linear");
        map(text + "attn.proj", attn + "to_add_out");
        map(text + "mlp.fc1", from + "ff_context.net.0.proj");
        map(text + "mlp.fc2", from + "ff_context.net.2");
      } else {
        swapped(text + "adaLN_modulation.1", from + "norm1_context.linear");
      }
    }
    swapped("final_layer.adaLN_modulation.1", "norm_out.linear");
    map("final_layer.linear", "proj_out");
  }

  private boolean has(String name) {
    return diffusers.containsKey(name);
  }

  /** A linear map or convolution, of several one after the other. */
  private void map(String to, String... from) {
    for (String part : List.of(".weight", ".bias")) {
      Floats[] rows =
          Arrays.stream(from).map(name -> diffusers.get(name + part)).toArray(Floats[]::new);
      original.put(to + part, stacked(rows));
    }
  }

  private static Floats stacked(Floats... parts) {
    List<Long> shape = new ArrayList<>(parts[0].shape());
    shape.set(0, Arrays.stream(parts).mapToLong(part -> part.shape().get(0)).sum());
    float[] all = new float[Arrays.stream(parts).mapToInt(part -> part.data().length).sum()];
    int at = 0;
    for (Floats part : parts) {
      System.arraycopy(part.data(), 0, all, at, part.data().length);
      at += part.data().length;
    }
    return new Floats(shape, all);
  }

  /** Shift and scale change places. */
  private void swapped(String to, String from) {
    for (String part : List.of(".weight", ".bias")) {
      Floats own = diffusers.get(from + part);
      float[] values = new float[own.data().length];
      int half = values.length / 2;
      System.arraycopy(own.data(), half, values, 0, half);
      System.arraycopy(own.data(), 0, values, half, half);
      original.put(to + part, new Floats(own.shape(), values));
    }
  }

  private void tensor(String to, String from) {
    original.put(to, diffusers.get(from));
  }

  // ---- published sizes, as shapes ----

  static Map<String, List<Long>> flux(
      long width, long head, int doubles, int singles, boolean guided) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    linear(shapes, "img_in", width, 64);
    linear(shapes, "txt_in", width, 4096);
    for (String embedder : guided ? List.of("time_in", "guidance_in") : List.of("time_in")) {
      linear(shapes, embedder + ".in_layer", width, 256);
      linear(shapes, embedder + ".out_layer", width, width);
    }
    linear(shapes, "vector_in.in_layer", width, 768);
    linear(shapes, "vector_in.out_layer", width, width);
    for (int i = 0; i < doubles; i++) {
      for (String stream : List.of("img", "txt")) {
        String block = "double_blocks." + i + "." + stream;
        linear(shapes, block + "_mod.lin", 6 * width, width);
        linear(shapes, block + "_attn.qkv", 3 * width, width);
        shapes.put(block + "_attn.norm.query_norm.scale", List.of(head));
        shapes.put(block + "_attn.norm.key_norm.scale", List.of(head));
        linear(shapes, block + "_attn.proj", width, width);
        linear(shapes, block + "_mlp.0", 4 * width, width);
        linear(shapes, block + "_mlp.2", width, 4 * width);
      }
    }
    for (int i = 0; i < singles; i++) {
      String block = "single_blocks." + i + ".";
      linear(shapes, block + "modulation.lin", 3 * width, width);
      linear(shapes, block + "linear1", 7 * width, width);
      linear(shapes, block + "linear2", width, 5 * width);
      shapes.put(block + "norm.query_norm.scale", List.of(head));
      shapes.put(block + "norm.key_norm.scale", List.of(head));
    }
    linear(shapes, "final_layer.adaLN_modulation.1", 2 * width, width);
    linear(shapes, "final_layer.linear", 64, width);
    return shapes;
  }

  static Map<String, List<Long>> sd3(long width, int depth, long most, boolean normed, int dual) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    shapes.put("x_embedder.proj.weight", List.of(width, 16L, 2L, 2L));
    shapes.put("x_embedder.proj.bias", List.of(width));
    shapes.put("pos_embed", List.of(1L, most * most, width));
    linear(shapes, "t_embedder.mlp.0", width, 256);
    linear(shapes, "t_embedder.mlp.2", width, width);
    linear(shapes, "y_embedder.mlp.0", width, 2048);
    linear(shapes, "y_embedder.mlp.2", width, width);
    linear(shapes, "context_embedder", width, 4096);
    for (int i = 0; i < depth; i++) {
      boolean last = i == depth - 1;
      for (String stream : List.of("x_block", "context_block")) {
        boolean picture = stream.equals("x_block");
        String block = "joint_blocks." + i + "." + stream + ".";
        long rows = picture ? (i < dual ? 9 : 6) : (last ? 2 : 6);
        linear(shapes, block + "adaLN_modulation.1", rows * width, width);
        attention(shapes, block + "attn.", width, normed, picture || !last);
        if (picture && i < dual) {
          attention(shapes, block + "attn2.", width, normed, true);
        }
        if (picture || !last) {
          linear(shapes, block + "mlp.fc1", 4 * width, width);
          linear(shapes, block + "mlp.fc2", width, 4 * width);
        }
      }
    }
    linear(shapes, "final_layer.adaLN_modulation.1", 2 * width, width);
    linear(shapes, "final_layer.linear", 64, width);
    return shapes;
  }

  private static void attention(
      Map<String, List<Long>> shapes, String name, long width, boolean normed, boolean out) {
    linear(shapes, name + "qkv", 3 * width, width);
    if (normed) {
      shapes.put(name + "ln_q.weight", List.of(64L));
      shapes.put(name + "ln_k.weight", List.of(64L));
    }
    if (out) {
      linear(shapes, name + "proj", width, width);
    }
  }

  private static void linear(Map<String, List<Long>> shapes, String name, long out, long in) {
    shapes.put(name + ".weight", List.of(out, in));
    shapes.put(name + ".bias", List.of(out));
  }
}
