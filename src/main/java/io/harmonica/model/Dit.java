package io.harmonica.model;

import static io.harmonica.model.Modulation.GATE_ATTENTION;
import static io.harmonica.model.Modulation.GATE_MLP;
import static io.harmonica.model.Modulation.SCALE_ATTENTION;
import static io.harmonica.model.Modulation.SCALE_HEAD;
import static io.harmonica.model.Modulation.SCALE_MLP;
import static io.harmonica.model.Modulation.SHIFT_ATTENTION;
import static io.harmonica.model.Modulation.SHIFT_HEAD;
import static io.harmonica.model.Modulation.SHIFT_MLP;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * DiT with adaLN-Zero blocks (Peebles and Xie, "Scalable Diffusion Models with Transformers", arXiv
 * 2212.09748; facebookresearch/DiT {@code models.py}, whose parameter names are used, with q, k, v
 * apart).
 *
 * @param width D
 * @param labels rows of the label table: the classes, and the null class where there is one
 * @param layout of its checkpoint
 */
public record Dit(
    int width, int heads, int depth, int patch, int labels, Layout layout, Interface io)
    implements Denoiser {

  /**
   * In what DiT's checkpoints differ.
   *
   * @param frequencyDivisor divisor in the exponent of the timestep frequencies: 128 in facebook's
   *     code, 127 in diffusers'
   * @param mlpEps epsilon of the layer norm before the MLP; every other is 1e-6
   * @param storedPositions whether the checkpoint brings its positions ({@code pos_embed})
   * @param sharedEmbedder whether all blocks use one timestep and label embedder
   */
  public record Layout(
      int frequencyDivisor, double mlpEps, boolean storedPositions, boolean sharedEmbedder) {

    /** Of facebookresearch/DiT's own files. */
    public static final Layout FACEBOOK = new Layout(128, 1e-6, true, true);

    /** Of diffusers' folders. */
    public static Layout diffusers(double mlpEps, boolean sharedEmbedder) {
      return new Layout(127, mlpEps, false, sharedEmbedder);
    }
  }

  private static final String ATTENTION = "attention";
  private static final String MLP = "mlp";
  private static final double EPS = 1e-6;

  @Override
  public String architecture() {
    return DitPresets.name(depth, width, patch);
  }

  @Override
  public List<Branch> branches() {
    return Branch.ofBlocks(0, depth, ATTENTION, MLP);
  }

  @Override
  public <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs) {
    Map<String, Supplier<T>> out = new LinkedHashMap<>();
    T features =
        Layers.sinusoids(
            ops, inputs.get("timestep"), Layers.FEATURES, layout.frequencyDivisor()); // (B, 256)
    T condition = condition(ops, features, inputs.get("class_label"), 0); // (B, D)
    for (int block = 0; block < depth; block++) {
      int index = block;
      out.put(
          modulation(block),
          () -> {
            T own =
                layout.sharedEmbedder() || index == 0
                    ? condition
                    : condition(ops, features, inputs.get("class_label"), index);
            return rows(ops, own, "blocks." + index, 6); // (B, 6, D)
          });
    }
    out.put("head.modulation", () -> rows(ops, condition, "final_layer", 2)); // (B, 2, D)
    return out;
  }

  /** Rows of modulation: (B, D) to (B, rows, D). */
  private <T> T rows(Ops<T> ops, T condition, String of, int rows) {
    T all = ops.linear(condition, of + ".adaLN_modulation.1", width, rows * width);
    return ops.reshape(all, 0, rows, width);
  }

  @Override
  public <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning) {
    T x = Layers.patches(ops, sample, "x_embedder.proj", io.channels(), width, patch); // (B, N, D)
    return Streams.of(ops.add(x, positions(ops)));
  }

  @Override
  public <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning) {
    T hidden = streams.hidden(); // (B, N, D)
    T rows = conditioning.get(modulation(branch.block())); // (B, 6, D)
    String block = "blocks." + branch.block();
    if (branch.kind().equals(ATTENTION)) {
      T x = ops.layerNorm(hidden, width, EPS); // (B, N, D)
      x = Layers.modulate(ops, x, SHIFT_ATTENTION.of(ops, rows), SCALE_ATTENTION.of(ops, rows));
      T q = ops.linear(x, block + ".attn.q", width, width);
      T k = ops.linear(x, block + ".attn.k", width, width);
      T v = ops.linear(x, block + ".attn.v", width, width);
      T mixed = ops.attention(q, k, v, heads, width); // (B, N, D)
      return ops.linear(mixed, block + ".attn.proj", width, width);
    }
    T x = ops.layerNorm(hidden, width, layout.mlpEps()); // (B, N, D)
    x = Layers.modulate(ops, x, SHIFT_MLP.of(ops, rows), SCALE_MLP.of(ops, rows));
    T inner = ops.linear(x, block + ".mlp.fc1", width, 4 * width); // (B, N, 4 D)
    inner = ops.gelu(inner, Gelu.TANH);
    return ops.linear(inner, block + ".mlp.fc2", 4 * width, width);
  }

  @Override
  public <T> Streams<T> join(
      Ops<T> ops,
      Branch branch,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    Modulation row = branch.kind().equals(ATTENTION) ? GATE_ATTENTION : GATE_MLP;
    T gate = row.of(ops, conditioning.get(modulation(branch.block()))); // (B, 1, D)
    return streams.withHidden(Layers.joined(ops, streams.hidden(), terms, Optional.of(gate)));
  }

  @Override
  public <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning) {
    T x = ops.layerNorm(streams.hidden(), width, EPS);
    T rows = conditioning.get("head.modulation"); // (B, 2, D)
    x = Layers.modulate(ops, x, SHIFT_HEAD.of(ops, rows), SCALE_HEAD.of(ops, rows));
    x =
        ops.linear(
            x, "final_layer.linear", width, patch * patch * io.outputChannels()); // (B, N, P P O)
    int side = io.height() / patch;
    return Layers.picture(ops, x, side, side, patch, io.outputChannels()); // (B, O, H, W)
  }

  /** {@code silu(timestep embedding + label embedding)}: (B, D). */
  private <T> T condition(Ops<T> ops, T features, T label, int block) {
    String prefix = layout.sharedEmbedder() ? "" : "blocks." + block + ".";
    T t = ops.linear(features, prefix + "t_embedder.mlp.0", Layers.FEATURES, width);
    t = ops.linear(ops.silu(t), prefix + "t_embedder.mlp.2", width, width); // (B, D)
    T y = ops.embedding(label, prefix + "y_embedder.embedding_table.weight", labels, width);
    return ops.silu(ops.add(t, y));
  }

  private <T> T positions(Ops<T> ops) {
    int side = io.height() / patch;
    return layout.storedPositions()
        ? ops.parameter("pos_embed", 1, tokens(), width)
        : ops.toPrecision(
            ops.constant(Layers.positions(width, side, side, side, 1), 1, tokens(), width));
  }

  private int tokens() {
    return (io.height() / patch) * (io.height() / patch);
  }

  private static String modulation(int block) {
    return Branch.blockName(block) + ".modulation";
  }
}
