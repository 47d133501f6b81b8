package io.harmonica.model;

import static io.harmonica.model.Modulation.GATE_ATTENTION;
import static io.harmonica.model.Modulation.SCALE_ATTENTION;
import static io.harmonica.model.Modulation.SCALE_LAST;
import static io.harmonica.model.Modulation.SHIFT_ATTENTION;
import static io.harmonica.model.Modulation.SHIFT_LAST;
import static io.harmonica.model.TwoStreams.ATTENTION;
import static io.harmonica.model.TwoStreams.CONTEXT;
import static io.harmonica.model.TwoStreams.EPS;
import static io.harmonica.model.TwoStreams.LAST;
import static io.harmonica.model.TwoStreams.MLP;
import static io.harmonica.model.TwoStreams.TEXT;
import static io.harmonica.model.TwoStreams.TEXT_MLP;
import static io.harmonica.model.TwoStreams.modulation;
import static io.harmonica.model.TwoStreams.textModulation;

import io.harmonica.Element;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Spacing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;

/**
 * FLUX.1 (Black Forest Labs; diffusers {@code FluxTransformer2DModel}, whose parameter names are
 * used): blocks of two streams, the text's tokens and the picture's, which attend to each other,
 * then blocks of one stream, text first, whose attention and MLP run side by side.
 *
 * <p>Four elements of a latent, two by two, are a token: packing and unpacking are in {@link
 * #begin} and {@link #head}. The joint attention is one branch whose output is both streams', text
 * first; a block of one stream is one branch, as its halves share the last map. Legend beside that
 * of {@link Denoiser}: T text tokens, d elements of a head.
 *
 * @param width D
 * @param depth blocks of two streams
 * @param singles blocks of one stream, counted on
 * @param axes elements of a head that turn with each coordinate of a token: a constant, row, column
 */
public record Flux(int width, int heads, int depth, int singles, List<Integer> axes, Interface io)
    implements Denoiser {

  private static final String SINGLE = "single";

  private static final String JOINED = "joined"; // the one that both become
  private static final int PATCH = 2;
  private static final int DIVISOR = 128;

  public Flux {
    axes = List.copyOf(axes);
  }

  /**
   * Seen from outside; drawn as diffusers' {@code FluxPipeline} does.
   *
   * @param text which tells whether the scale of guidance is an input (dev), or there is none
   */
  public static Interface io(Samples samples, Shows.Text text) {
    Origin origin =
        new Origin(
            Flow.of(samples.height() / PATCH * (samples.width() / PATCH)),
            "flow-euler",
            Spacing.TRAILING,
            samples.channels(),
            OptionalDouble.of(text.guided() ? 3.5 : 1),
            0.3611,
            0.1159);
    return new Interface(samples, Element.FP32, text, origin);
  }

  @Override
  public String architecture() {
    String size = "FLUX-%d-%dx%d".formatted(depth, singles, width);
    boolean guided = takes().guided();
    return size.equals("FLUX-19-38x3072") ? "FLUX.1-" + (guided ? "dev" : "schnell") : size;
  }

  private Shows.Text takes() {
    return io.text().orElseThrow();
  }

  @Override
  public List<Branch> branches() {
    List<Branch> branches = new ArrayList<>(Branch.ofBlocks(0, depth, ATTENTION, MLP, TEXT_MLP));
    branches.addAll(Branch.ofBlocks(depth, depth + singles, SINGLE));
    return branches;
  }

  @Override
  public <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs) {
    T both = timed(ops, inputs.get("timestep"), "timestep_embedder"); // (B, D)
    if (takes().guided()) {
      T scale = ops.mul(inputs.get("guidance_scale"), ops.constant(new float[] {1000}, 1));
      both = ops.add(both, timed(ops, scale, "guidance_embedder"));
    }
    T pooled = ops.toPrecision(inputs.get("pooled_text")); // (B, pooled)
    both = ops.add(both, both().embedded(ops, pooled, "text_embedder", takes().pooled()));
    T silu = ops.silu(both);
    Map<String, Supplier<T>> out = new LinkedHashMap<>();
    out.put(CONTEXT, () -> both().context(ops, inputs, takes())); // (B, T, D)
    for (int block = 0; block < depth; block++) {
      String norm = prefix(block) + "norm1";
      out.put(modulation(block), () -> both().rows(ops, silu, norm + ".linear", 6)); // (B, 6, D)
      out.put(
          textModulation(block),
          () -> both().rows(ops, silu, norm + "_context.linear", 6)); // (B, 6, D)
    }
    for (int block = depth; block < depth + singles; block++) {
      String norm = prefix(block) + "norm";
      out.put(modulation(block), () -> both().rows(ops, silu, norm + ".linear", 3)); // (B, 3, D)
    }
    out.put(LAST, () -> both().rows(ops, silu, "norm_out.linear", 2)); // (B, 2, D)
    return out;
  }

  private <T> T timed(Ops<T> ops, T number, String name) {
    T features = Layers.sinusoids(ops, number, Layers.FEATURES, DIVISOR); // (B, 256)
    return both().embedded(ops, features, name, Layers.FEATURES);
  }

  /** Packs the sample: element (dy, dx) of channel c is the token's {@code 4 c + 2 dy + dx}. */
  @Override
  public <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning) {
    int channels = io.channels();
    T x = ops.reshape(ops.toPrecision(sample), 0, channels, rows(), PATCH, columns(), PATCH);
    x = ops.transpose(x, 0, 2, 4, 1, 3, 5); // (B, row, column, C, dy, dx)
    x = ops.reshape(x, 0, tokens(), (long) channels * PATCH * PATCH); // (B, N, 4 C)
    x = ops.linear(x, "x_embedder", channels * PATCH * PATCH, width); // (B, N, D)
    return Streams.of(x).with(TEXT, conditioning.get(CONTEXT)); // (B, T, D)
  }

  /** The first block of one stream joins the two: (B, T + N, D). */
  @Override
  public <T> Streams<T> enter(
      Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    return block == depth
        ? streams
            .with(JOINED, ops.concat(1, List.of(streams.get(TEXT), streams.hidden())))
            .without(TEXT)
            .without(Streams.HIDDEN)
        : streams;
  }

  @Override
  public <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning) {
    int block = branch.block();
    return switch (branch.kind()) {
      case ATTENTION -> attention(ops, block, streams, conditioning);
      case MLP -> both().mlp(ops, block, streams, conditioning);
      case TEXT_MLP -> both().textMlp(ops, block, streams, conditioning);
      default -> single(ops, block, streams.get(JOINED), conditioning.get(modulation(block)));
    };
  }

  /** Both streams' output: (B, T + N, D), the text's first. */
  private <T> T attention(Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    String attn = prefix(block) + "attn.";
    T rows = conditioning.get(modulation(block));
    T text = conditioning.get(textModulation(block));
    T x =
        both()
            .normed(
                ops,
                streams.hidden(),
                SHIFT_ATTENTION.of(ops, rows),
                SCALE_ATTENTION.of(ops, rows));
    T c = // (B, T, D)
        both()
            .normed(
                ops,
                streams.get(TEXT),
                SHIFT_ATTENTION.of(ops, text),
                SCALE_ATTENTION.of(ops, text));
    T q = heads(ops, c, attn + "add_q_proj", attn + "norm_added_q"); // (B, T, heads, d)
    q = ops.concat(1, List.of(q, heads(ops, x, attn + "to_q", attn + "norm_q")));
    T k = heads(ops, c, attn + "add_k_proj", attn + "norm_added_k");
    k = ops.concat(1, List.of(k, heads(ops, x, attn + "to_k", attn + "norm_k")));
    T v = ops.linear(c, attn + "add_v_proj", width, width);
    v = ops.concat(1, List.of(v, ops.linear(x, attn + "to_v", width, width))); // (B, T + N, D)
    T mixed = ops.attention(rotated(ops, q), rotated(ops, k), v, heads, width);
    T ofText = ops.linear(text(ops, mixed), attn + "to_add_out", width, width);
    T ofPicture = ops.linear(picture(ops, mixed), attn + "to_out.0", width, width);
    return ops.concat(1, List.of(ofText, ofPicture));
  }

  /** Attention without a map of its own and MLP, both from the same input: (B, T + N, D). */
  private <T> T single(Ops<T> ops, int block, T hidden, T rows) {
    String attn = prefix(block) + "attn.";
    T z = both().normed(ops, hidden, SHIFT_ATTENTION.of(ops, rows), SCALE_ATTENTION.of(ops, rows));
    T q = rotated(ops, heads(ops, z, attn + "to_q", attn + "norm_q"));
    T k = rotated(ops, heads(ops, z, attn + "to_k", attn + "norm_k"));
    T mixed = ops.attention(q, k, ops.linear(z, attn + "to_v", width, width), heads, width);
    T inner = ops.linear(z, prefix(block) + "proj_mlp", width, 4 * width);
    T both = ops.concat(2, List.of(mixed, ops.gelu(inner, Gelu.TANH))); // (B, T + N, 5 D)
    return ops.linear(both, prefix(block) + "proj_out", 5 * width, width);
  }

  /** Queries or keys, each head's normed: (B, ., heads, d), fp32. */
  private <T> T heads(Ops<T> ops, T x, String map, String norm) {
    int head = width / heads;
    T apart = ops.toFloat(ops.reshape(ops.linear(x, map, width, width), 0, 0, heads, head));
    return ops.toFloat(ops.rmsNorm(apart, norm + ".weight", head, EPS));
  }

  /**
   * Turns neighbours by their token's place (Su et al., arXiv 2104.09864): (B, T + N, heads, d) to
   * (B, T + N, D).
   */
  private <T> T rotated(Ops<T> ops, T x) {
    int pairs = width / heads / 2;
    long[] shape = {1, text() + tokens(), 1, pairs, 1};
    T cos = ops.constant(turns(Math::cos), shape);
    T sin = ops.constant(turns(Math::sin), shape);
    T minus = ops.constant(turns(angle -> -Math.sin(angle)), shape);
    T apart = ops.reshape(x, 0, 0, heads, pairs, 2);
    T even = ops.slice(apart, 4, 0, 1);
    T odd = ops.slice(apart, 4, 1, 2);
    T turned =
        ops.concat(
            4,
            List.of(
                ops.add(ops.mul(even, cos), ops.mul(odd, minus)),
                ops.add(ops.mul(odd, cos), ops.mul(even, sin))));
    return ops.toPrecision(ops.reshape(turned, 0, 0, width));
  }

  private <T> T picture(Ops<T> ops, T both) {
    return ops.slice(both, 1, text(), text() + tokens());
  }

  private <T> T text(Ops<T> ops, T both) {
    return ops.slice(both, 1, 0, text());
  }

  @Override
  public <T> Streams<T> join(
      Ops<T> ops,
      Branch branch,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    int block = branch.block();
    return switch (branch.kind()) {
      case ATTENTION ->
          TwoStreams.joinAttention(
              ops,
              block,
              streams,
              terms,
              conditioning,
              output -> picture(ops, output),
              output -> text(ops, output));
      case MLP -> TwoStreams.joinMlp(ops, block, streams, terms, conditioning);
      case TEXT_MLP -> TwoStreams.joinTextMlp(ops, block, streams, terms, conditioning);
      default -> {
        T rows = conditioning.get(modulation(block));
        Optional<T> gate = Optional.of(GATE_ATTENTION.of(ops, rows));
        yield streams.with(JOINED, Layers.joined(ops, streams.get(JOINED), terms, gate));
      }
    };
  }

  @Override
  public <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning) {
    T x = singles > 0 ? picture(ops, streams.get(JOINED)) : streams.hidden(); // (B, N, D)
    T last = conditioning.get(LAST); // (B, 2, D)
    x = both().normed(ops, x, SHIFT_LAST.of(ops, last), SCALE_LAST.of(ops, last));
    int channels = io.outputChannels();
    x = ops.linear(x, "proj_out", width, PATCH * PATCH * channels); // (B, N, 4 C)
    x = ops.reshape(x, 0, rows(), columns(), channels, PATCH, PATCH);
    x = ops.transpose(x, 0, 3, 1, 4, 2, 5); // (B, C, row, dy, column, dx)
    return ops.toFloat(ops.reshape(x, 0, channels, io.height(), io.width())); // (B, C, H, W)
  }

  private TwoStreams both() {
    return new TwoStreams(width);
  }

  private int rows() {
    return io.height() / PATCH;
  }

  private int columns() {
    return io.width() / PATCH;
  }

  private int tokens() {
    return rows() * columns();
  }

  private int text() {
    return takes().tokens();
  }

  /**
   * Of how far each pair of each token's heads is turned: [T + N, d / 2]. Angles are exact, as in
   * the reference; text is not turned.
   */
  private float[] turns(DoubleUnaryOperator of) {
    int pairs = width / heads / 2;
    float[] turns = new float[(text() + tokens()) * pairs];
    Arrays.fill(turns, (float) of.applyAsDouble(0));
    for (int token = 0; token < tokens(); token++) {
      int[] place = {0, token / columns(), token % columns()};
      int at = (text() + token) * pairs;
      for (int axis = 0; axis < axes.size(); axis++) {
        for (int j = 0; j < axes.get(axis) / 2; j++) {
          double angle = place[axis] * Math.pow(10000, -2.0 * j / axes.get(axis));
          turns[at++] = (float) of.applyAsDouble(angle);
        }
      }
    }
    return turns;
  }

  private String prefix(int block) {
    return block < depth
        ? TwoStreams.prefix(block)
        : "single_transformer_blocks." + (block - depth) + ".";
  }
}
