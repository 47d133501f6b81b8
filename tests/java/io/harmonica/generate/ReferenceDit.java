package io.harmonica.generate;

import io.harmonica.Checkpoints;
import io.harmonica.Reference;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The forward pass of a diffusers DiT for one sample in plain loops, from the checkpoint itself: it
 * shares no code with the engines.
 */
final class ReferenceDit {
  /** Decides what a branch's output is: computed now, or made of earlier ones. */
  interface Branches {
    float[] output(int branch, Supplier<float[]> computed);
  }

  /** Decides what the tokens are after a branch: with its output added, or made of earlier ones. */
  interface Tokens {
    float[] after(int branch, float[] before, Supplier<float[]> computed);
  }

  private final Map<String, Floats> weights;
  private final int width;
  private final int heads;
  private final int depth;
  private final int patch;
  private final int channels;
  private final int side; // tokens
  private final double mlpEps;

  ReferenceDit(Path checkpoint) {
    weights = Checkpoints.tensors(checkpoint);
    var config = Checkpoints.config(checkpoint);
    heads = config.path("num_attention_heads").asInt();
    width = heads * config.path("attention_head_dim").asInt();
    depth = config.path("num_layers").asInt();
    patch = config.path("patch_size").asInt();
    channels = config.path("in_channels").asInt();
    side = config.path("sample_size").asInt() / patch;
    mlpEps = config.path("norm_eps").asDouble();
  }

  int branches() {
    return 2 * depth;
  }

  /** The predicted noise for {@code [C, H, W]}; a learned variance is left out. */
  float[] predict(float[] sample, int timestep, int label, Branches branches) {
    return predict(sample, timestep, label, branches, (branch, before, computed) -> computed.get());
  }

  /** The same, with tokens that may be made otherwise. */
  float[] predict(float[] sample, int timestep, int label, Branches branches, Tokens tokens) {
    float[] hidden = embed(sample);
    float[] condition = condition(timestep, label);
    for (int block = 0; block < depth; block++) {
      String name = "transformer_blocks." + block + ".";
      float[] modulation = linear(condition, name + "norm1.linear");
      float[] before = hidden;
      int first = 2 * block;
      Supplier<float[]> attention = () -> attention(name, modulate(before, 1e-6, modulation, 0));
      float[] between =
          tokens.after(
              first, before, () -> join(before, branches.output(first, attention), modulation, 2));
      Supplier<float[]> mlp = () -> mlp(name, modulate(between, mlpEps, modulation, 3));
      hidden =
          tokens.after(
              first + 1,
              between,
              () -> join(between, branches.output(first + 1, mlp), modulation, 5));
    }
    float[] last = linear(condition, "proj_out_1");
    return picture(linear(modulate(hidden, 1e-6, last, 0), "proj_out_2"));
  }

  private float[] embed(float[] sample) {
    float[] filter = weights.get("pos_embed.proj.weight").data();
    float[] bias = weights.get("pos_embed.proj.bias").data();
    float[] planes =
        Reference.conv(
            sample, filter, bias, channels, side * patch, patch, patch, 0); // [D, side, side]
    float[] tokens = new float[planes.length];
    int quarter = width / 4;
    for (int n = 0; n < side * side; n++) {
      int[] place = {n % side, n / side}; // column first
      for (int d = 0; d < width; d++) {
        double angle =
            place[d / (2 * quarter)] * Math.pow(10000, -(d % quarter) / (double) quarter);
        double position = d / quarter % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
        tokens[n * width + d] = planes[d * side * side + n] + (float) position;
      }
    }
    return tokens;
  }

  /** With the silu that every reader applies. */
  private float[] condition(int timestep, int label) {
    String name = "transformer_blocks.0.norm1.emb.";
    float[] features = new float[256];
    for (int i = 0; i < 128; i++) {
      float frequency = (float) Math.exp((float) -Math.log(10000) * i / 127);
      features[i] = (float) Math.cos(timestep * frequency);
      features[128 + i] = (float) Math.sin(timestep * frequency);
    }
    float[] inner =
        Reference.map(linear(features, name + "timestep_embedder.linear_1"), Reference::silu);
    float[] condition = linear(inner, name + "timestep_embedder.linear_2");
    float[] table = weights.get(name + "class_embedder.embedding_table.weight").data();
    for (int d = 0; d < width; d++) {
      condition[d] += table[label * width + d];
    }
    return Reference.map(condition, Reference::silu);
  }

  private float[] attention(String block, float[] x) {
    float[] q = linear(x, block + "attn1.to_q");
    float[] k = linear(x, block + "attn1.to_k");
    float[] v = linear(x, block + "attn1.to_v");
    float[] mixed = Reference.attention(q, k, v, side * side, heads, width);
    return linear(mixed, block + "attn1.to_out.0");
  }

  private float[] mlp(String block, float[] x) {
    float[] inner = Reference.map(linear(x, block + "ff.net.0.proj"), Reference::geluTanh);
    return linear(inner, block + "ff.net.2");
  }

  private float[] modulate(float[] x, double eps, float[] modulation, int row) {
    float[] y = Reference.layerNorm(x, width, eps);
    for (int i = 0; i < y.length; i++) {
      float shift = modulation[row * width + i % width];
      float scale = modulation[(row + 1) * width + i % width];
      y[i] = y[i] * (1 + scale) + shift;
    }
    return y;
  }

  private float[] join(float[] hidden, float[] output, float[] modulation, int row) {
    float[] sum = hidden.clone();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += modulation[row * width + i % width] * output[i];
    }
    return sum;
  }

  /** Tokens of {@code patch x patch x outputs} to the first channels of a picture. */
  private float[] picture(float[] tokens) {
    int outputs = tokens.length / (side * side * patch * patch);
    int size = side * patch;
    float[] picture = new float[outputs * size * size];
    for (int n = 0; n < side * side; n++) {
      for (int py = 0; py < patch; py++) {
        for (int px = 0; px < patch; px++) {
          for (int c = 0; c < outputs; c++) {
            int row = n / side * patch + py;
            int column = n % side * patch + px;
            picture[(c * size + row) * size + column] =
                tokens[((n * patch + py) * patch + px) * outputs + c];
          }
        }
      }
    }
    return Arrays.copyOf(picture, channels * size * size);
  }

  private float[] linear(float[] x, String name) {
    return Reference.linear(
        x, weights.get(name + ".weight").data(), weights.get(name + ".bias").data());
  }
}
