package io.harmonica.model;

import static io.harmonica.model.Modulation.GATE_ATTENTION;
import static io.harmonica.model.Modulation.GATE_MLP;
import static io.harmonica.model.Modulation.SCALE_ATTENTION;
import static io.harmonica.model.Modulation.SCALE_HEAD;
import static io.harmonica.model.Modulation.SCALE_MLP;
import static io.harmonica.model.Modulation.SHIFT_ATTENTION;
import static io.harmonica.model.Modulation.SHIFT_HEAD;
import static io.harmonica.model.Modulation.SHIFT_MLP;

import io.harmonica.Element;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Spacing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * PixArt-alpha and PixArt-Sigma (Chen et al., arXiv 2310.00426 and 2403.04692; diffusers {@code
 * PixArtTransformer2DModel}, whose parameter names are used): adaLN-single, and cross-attention to
 * a caption, which joins without gate.
 *
 * <p>Keys and values of the caption belong to the branch, not to {@link #condition}: where a router
 * reuses the branch, they are saved too, and no 2 x M x D values a block are handed over.
 *
 * @param width D
 * @param base side, in tokens, of the pictures that it was trained on
 * @param interpolation what positions are divided by
 * @param eps epsilon of the blocks' layer norms; the last one's is 1e-6
 */
public record PixArt(
    int width,
    int heads,
    int depth,
    int patch,
    int base,
    double interpolation,
    double eps,
    Interface io)
    implements Denoiser {

  private static final String ATTENTION = "attention";
  private static final String CROSS_ATTENTION = "cross_attention";
  private static final String MLP = "mlp";
  private static final String CAPTION = "caption";
  private static final String CAPTION_BIAS = "caption_bias";
  private static final String EMBEDDER = "adaln_single.emb.";
  private static final int DIVISOR = 128;
  private static final double HEAD_EPS = 1e-6;

  /** The published size, of alpha and Sigma alike. */
  public static final String XL = "PixArt-XL/2";

  /** The structure of {@link #XL} as alpha was published for 512 x 512 pictures. */
  public static PixArt xl() {
    Interface io = io(new Samples(4, 8, 64, 64, 8), new Shows.Text(120, 4096, false));
    return new PixArt(1152, 16, 28, 2, 32, 1, 1e-6, io);
  }

  /** Seen from outside. */
  public static Interface io(Samples samples, Shows.Text text) {
    Origin origin = new Origin(Diffusion.DDPM, "dpm-solver++", Spacing.LEADING, samples.channels());
    return new Interface(samples, Element.INT64, text, origin);
  }

  @Override
  public String architecture() {
    return depth == 28 && width == 1152 && patch == 2
        ? XL
        : "PixArt-" + depth + "x" + width + "/" + patch;
  }

  @Override
  public List<Branch> branches() {
    return Branch.ofBlocks(0, depth, ATTENTION, CROSS_ATTENTION, MLP);
  }

  @Override
  public <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning) {
    T x = Layers.patches(ops, sample, "pos_embed.proj", io.channels(), width, patch); // (B, N, D)
    float[] positions = Layers.positions(width, rows(), columns(), base, (float) interpolation);
    T constant = ops.toPrecision(ops.constant(positions, 1, (long) rows() * columns(), width));
    return Streams.of(ops.add(x, constant));
  }

  @Override
  public <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs) {
    Map<String, Supplier<T>> out = new LinkedHashMap<>();
    T condition = modulating(ops, inputs); // (B, D)
    T mapped = ops.linear(ops.silu(condition), "adaln_single.linear", width, 6 * width); // (B, 6 D)
    T all = ops.reshape(mapped, 0, 6, width); // (B, 6, D)
    for (int block = 0; block < depth; block++) {
      String table = prefix(block) + "scale_shift_table";
      out.put(modulation(block), () -> ops.add(all, ops.parameter(table, 6, width))); // (B, 6, D)
    }
    out.put(
        "head.modulation",
        () ->
            ops.add(
                ops.reshape(condition, 0, 1, width),
                ops.parameter("scale_shift_table", 2, width))); // (B, 2, D)
    out.put(CAPTION, () -> caption(ops, inputs.get("text_embedding"))); // (B, M, D)
    out.put(CAPTION_BIAS, () -> bias(ops, inputs.get("text_mask"))); // (B, 1, 1, M)
    return out;
  }

  private <T> T caption(Ops<T> ops, T text) {
    T caption = ops.toPrecision(text); // (B, M, text width)
    int from = io.text().orElseThrow().width();
    caption = ops.linear(caption, "caption_projection.linear_1", from, width);
    return ops.linear(ops.gelu(caption, Gelu.TANH), "caption_projection.linear_2", width, width);
  }

  private <T> T bias(Ops<T> ops, T mask) {
    T rows = ops.reshape(ops.toFloat(mask), 0, 1, 1, io.text().orElseThrow().tokens());
    T dropped = ops.constant(new float[] {-10000}, 1); // as diffusers; fp16 holds it
    T kept = ops.mul(rows, ops.constant(new float[] {10000}, 1));
    return ops.toPrecision(ops.add(kept, dropped));
  }

  /**
   * What modulates, from the timestep and, where the model takes it, the picture's size: (B, D).
   */
  private <T> T modulating(Ops<T> ops, Conditioning<T> inputs) {
    T condition = embedded(ops, inputs.get("timestep"), "timestep_embedder", width);
    if (!io.text().orElseThrow().pictureSize()) {
      return condition;
    }
    int third = width / 3;
    T size = inputs.get("resolution"); // (B, 2)
    T height = embedded(ops, ops.slice(size, 1, 0, 1), "resolution_embedder", third);
    T across = embedded(ops, ops.slice(size, 1, 1, 2), "resolution_embedder", third);
    T aspect = embedded(ops, inputs.get("aspect_ratio"), "aspect_ratio_embedder", third);
    return ops.add(condition, ops.concat(1, List.of(height, across, aspect)));
  }

  /** A number (B, 1) through its sine-cosine features: (B, size). */
  private static <T> T embedded(Ops<T> ops, T number, String name, int size) {
    T x = Layers.sinusoids(ops, number, Layers.FEATURES, DIVISOR); // (B, 256)
    x = ops.silu(ops.linear(x, EMBEDDER + name + ".linear_1", Layers.FEATURES, size));
    return ops.linear(x, EMBEDDER + name + ".linear_2", size, size);
  }

  @Override
  public <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning) {
    T hidden = streams.hidden(); // (B, N, D)
    String block = prefix(branch.block());
    if (branch.kind().equals(CROSS_ATTENTION)) { // from the hidden state itself, not normalised
      T caption = conditioning.get(CAPTION); // (B, M, D)
      T q = ops.linear(hidden, block + "attn2.to_q", width, width);
      T k = ops.linear(caption, block + "attn2.to_k", width, width);
      T v = ops.linear(caption, block + "attn2.to_v", width, width);
      T mixed = ops.attention(q, k, v, conditioning.get(CAPTION_BIAS), heads, width); // (B, N, D)
      return ops.linear(mixed, block + "attn2.to_out.0", width, width);
    }
    T rows = conditioning.get(modulation(branch.block())); // (B, 6, D)
    T x = ops.layerNorm(hidden, width, eps); // (B, N, D)
    if (branch.kind().equals(ATTENTION)) {
      x = Layers.modulate(ops, x, SHIFT_ATTENTION.of(ops, rows), SCALE_ATTENTION.of(ops, rows));
      T q = ops.linear(x, block + "attn1.to_q", width, width); // (B, N, D)
      T k = ops.linear(x, block + "attn1.to_k", width, width);
      T v = ops.linear(x, block + "attn1.to_v", width, width);
      T mixed = ops.attention(q, k, v, heads, width);
      return ops.linear(mixed, block + "attn1.to_out.0", width, width);
    }
    x = Layers.modulate(ops, x, SHIFT_MLP.of(ops, rows), SCALE_MLP.of(ops, rows));
    T inner = ops.linear(x, block + "ff.net.0.proj", width, 4 * width); // (B, N, 4 D)
    inner = ops.gelu(inner, Gelu.TANH);
    return ops.linear(inner, block + "ff.net.2", 4 * width, width);
  }

  @Override
  public <T> Streams<T> join(
      Ops<T> ops,
      Branch branch,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    Optional<T> gate = Optional.empty();
    if (!branch.kind().equals(CROSS_ATTENTION)) {
      Modulation row = branch.kind().equals(ATTENTION) ? GATE_ATTENTION : GATE_MLP;
      T rows = conditioning.get(modulation(branch.block())); // (B, 6, D)
      gate = Optional.of(row.of(ops, rows)); // (B, 1, D)
    }
    return streams.withHidden(Layers.joined(ops, streams.hidden(), terms, gate));
  }

  @Override
  public <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning) {
    T x = ops.layerNorm(streams.hidden(), width, HEAD_EPS);
    T last = conditioning.get("head.modulation"); // (B, 2, D)
    x = Layers.modulate(ops, x, SHIFT_HEAD.of(ops, last), SCALE_HEAD.of(ops, last));
    int out = io.outputChannels();
    x = ops.linear(x, "proj_out", width, patch * patch * out); // (B, N, P P O)
    return Layers.picture(ops, x, rows(), columns(), patch, out); // (B, O, H, W)
  }

  private static String prefix(int block) {
    return "transformer_blocks." + block + ".";
  }

  private static String modulation(int block) {
    return Branch.blockName(block) + ".modulation";
  }

  /** Rows of tokens, H / P. */
  public int rows() {
    return io.height() / patch;
  }

  /** Columns of tokens, W / P. */
  public int columns() {
    return io.width() / patch;
  }
}
