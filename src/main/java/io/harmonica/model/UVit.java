package io.harmonica.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * U-ViT (Bao et al., "All are Worth Words: A ViT Backbone for Diffusion Models", arXiv 2209.12152;
 * baofff/U-ViT {@code libs/uvit.py} and {@code libs/uvit_t2i.py}, whose parameter names are used,
 * with q, k, v apart): time and condition are tokens beside the picture's, nothing modulates, and
 * long skips lead from the blocks of the first half to those of the second.
 *
 * <p>Blocks are counted through: those of the first half, the middle one, those of the second half.
 * A skip's linear map belongs to {@link #enter}: whether or not a router reuses a block's branches,
 * it is computed. Legend beside that of {@link Denoiser}: E extra tokens.
 *
 * @param width D
 * @param depth blocks of both halves: an even number, to which the middle one comes
 * @param mlpWidth of the hidden layer of an MLP
 * @param labels rows of the label table: the classes, and the null class where there is one
 * @param parts that not every U-ViT has
 */
public record UVit(
    int width, int heads, int depth, int patch, int mlpWidth, int labels, Parts parts, Interface io)
    implements Denoiser {

  /**
   * What some have and some have not.
   *
   * @param qkvBias biases of q, k and v
   * @param timeEmbed an MLP between the time's features and its token
   * @param convolution a last one over the picture
   */
  public record Parts(boolean qkvBias, boolean timeEmbed, boolean convolution) {}

  private static final String ATTENTION = "attention";
  private static final String MLP = "mlp";
  private static final String EXTRA_TOKENS = "extra_tokens";
  private static final double EPS = 1e-5;

  @Override
  public String architecture() {
    return UVitPresets.name(depth, width, patch);
  }

  @Override
  public List<Branch> branches() {
    return Branch.ofBlocks(0, depth + 1, ATTENTION, MLP);
  }

  /** The tokens beside the picture's: class, time; time, text; or time alone. */
  @Override
  public <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs) {
    T time = Layers.sinusoids(ops, inputs.get("timestep"), width, width / 2); // (B, D)
    if (parts.timeEmbed()) {
      time = ops.linear(time, "time_embed.0", width, 4 * width);
      time = ops.linear(ops.silu(time), "time_embed.2", 4 * width, width);
    }
    List<T> tokens = new ArrayList<>();
    if (io.shows() instanceof Shows.Classes) {
      T label = ops.embedding(inputs.get("class_label"), "label_emb.weight", labels, width);
      tokens.add(ops.reshape(label, 0, 1, width));
    }
    tokens.add(ops.reshape(time, 0, 1, width));
    if (io.shows() instanceof Shows.Text text) {
      T context = ops.toPrecision(inputs.get("text_embedding")); // (B, M, text width)
      tokens.add(ops.linear(context, "context_embed", text.width(), width));
    }
    return Map.of(EXTRA_TOKENS, () -> ops.concat(1, tokens)); // (B, E, D)
  }

  @Override
  public <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning) {
    String embedding = "patch_embed.proj";
    T patches = Layers.patches(ops, sample, embedding, io.channels(), width, patch); // (B, N, D)
    T x = ops.concat(1, List.of(conditioning.get(EXTRA_TOKENS), patches)); // (B, E + N, D)
    return Streams.of(ops.add(x, ops.parameter("pos_embed", 1, extraTokens() + tokens(), width)));
  }

  @Override
  public <T> Streams<T> enter(
      Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    if (block <= depth / 2) {
      return streams;
    }
    String skip = skip(depth - block); // of the block that lies as far from the middle
    T both = ops.concat(2, List.of(streams.hidden(), streams.get(skip))); // (B, E + N, 2 D)
    T joined = ops.linear(both, name(block) + ".skip_linear", 2 * width, width);
    return streams.withHidden(joined).without(skip);
  }

  @Override
  public <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning) {
    T hidden = streams.hidden(); // (B, E + N, D)
    String block = name(branch.block());
    if (branch.kind().equals(ATTENTION)) {
      T x = ops.layerNorm(hidden, block + ".norm1", width, EPS);
      T q = projected(ops, x, block + ".attn.q");
      T k = projected(ops, x, block + ".attn.k");
      T v = projected(ops, x, block + ".attn.v");
      T mixed = ops.attention(q, k, v, heads, width); // (B, E + N, D)
      return ops.linear(mixed, block + ".attn.proj", width, width);
    }
    T x = ops.layerNorm(hidden, block + ".norm2", width, EPS);
    T inner = ops.linear(x, block + ".mlp.fc1", width, mlpWidth); // (B, E + N, 4 D)
    return ops.linear(ops.gelu(inner, Gelu.EXACT), block + ".mlp.fc2", mlpWidth, width);
  }

  @Override
  public <T> Streams<T> join(
      Ops<T> ops,
      Branch branch,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    T hidden = Layers.joined(ops, streams.hidden(), terms, Optional.empty());
    boolean ends = branch.kind().equals(MLP) && branch.block() < depth / 2;
    Streams<T> joined = streams.withHidden(hidden);
    return ends ? joined.with(skip(branch.block()), hidden) : joined;
  }

  @Override
  public <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning) {
    int extra = extraTokens();
    T x = ops.slice(streams.hidden(), 1, extra, extra + tokens()); // (B, N, D)
    x = ops.layerNorm(x, "norm", width, EPS);
    int channels = io.outputChannels();
    x = ops.linear(x, "decoder_pred", width, patch * patch * channels); // (B, N, P P C)
    T out =
        Layers.picture(ops, x, io.height() / patch, io.width() / patch, patch, channels); // fp32
    return parts.convolution()
        ? ops.toFloat(ops.conv(ops.toPrecision(out), "final_layer", channels, channels, 3, 1, 1))
        : out; // (B, C, H, W)
  }

  private <T> T projected(Ops<T> ops, T x, String name) {
    return parts.qkvBias()
        ? ops.linear(x, name, width, width)
        : ops.project(x, name + ".weight", width, width);
  }

  private int tokens() {
    return io.height() / patch * (io.width() / patch);
  }

  private int extraTokens() {
    return extraTokens(io.shows());
  }

  /** E of a model: the time's, and what says what to show. */
  public static int extraTokens(Shows shows) {
    return 1
        + (shows instanceof Shows.Text text
            ? text.tokens()
            : shows instanceof Shows.Classes ? 1 : 0);
  }

  /** A block as parameters name it. */
  private String name(int block) {
    int half = depth / 2;
    return block < half
        ? "in_blocks." + block
        : block == half ? "mid_block" : "out_blocks." + (block - half - 1);
  }

  /** The stream that a block of the first half leaves for its counterpart. */
  private static String skip(int block) {
    return "skip%02d".formatted(block);
  }
}
