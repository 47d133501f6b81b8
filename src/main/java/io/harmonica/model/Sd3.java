package io.harmonica.model;

import static io.harmonica.model.Modulation.GATE_ATTENTION;
import static io.harmonica.model.Modulation.GATE_SECOND;
import static io.harmonica.model.Modulation.SCALE_ATTENTION;
import static io.harmonica.model.Modulation.SCALE_LAST;
import static io.harmonica.model.Modulation.SCALE_SECOND;
import static io.harmonica.model.Modulation.SHIFT_ATTENTION;
import static io.harmonica.model.Modulation.SHIFT_LAST;
import static io.harmonica.model.Modulation.SHIFT_SECOND;
import static io.harmonica.model.TwoStreams.ATTENTION;
import static io.harmonica.model.TwoStreams.CONTEXT;
import static io.harmonica.model.TwoStreams.EPS;
import static io.harmonica.model.TwoStreams.LAST;
import static io.harmonica.model.TwoStreams.MLP;
import static io.harmonica.model.TwoStreams.TEXT;
import static io.harmonica.model.TwoStreams.TEXT_MLP;
import static io.harmonica.model.TwoStreams.modulation;
import static io.harmonica.model.TwoStreams.prefix;
import static io.harmonica.model.TwoStreams.textModulation;

import io.harmonica.Element;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Spacing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/**
 * Stable Diffusion 3 and 3.5 (Esser et al., arXiv 2403.03206; diffusers {@code
 * SD3Transformer2DModel}, whose parameter names are used): picture and text are two streams of
 * tokens with weights of their own that attend to each other.
 *
 * <p>The joint attention is one branch, and its output is both streams', one after the other: they
 * come of one attention, so a router decides for both. The last block's is the picture's alone.
 * Legend beside that of {@link Denoiser}: T text tokens.
 *
 * @param width D
 * @param dual blocks with a second attention, of the picture to itself (3.5-medium)
 * @param normed whether queries and keys are normed in each head (3.5)
 */
public record Sd3(
    int width, int heads, int depth, int patch, List<Integer> dual, boolean normed, Interface io)
    implements Denoiser {

  static final String SECOND_ATTENTION = "attention2";

  /** The positions of the tokens that a picture has, of a table for the largest: [1, N, D]. */
  public static final String POSITIONS = "pos_embed.cropped";

  private static final String ENTRY = "entry"; // a dual block's input
  private static final int DIVISOR = 128;

  public Sd3 {
    dual = List.copyOf(dual);
  }

  /** Seen from outside; drawn as diffusers' {@code StableDiffusion3Pipeline} does. */
  public static Interface io(
      Samples samples, int patch, int textTokens, int textWidth, int pooled) {
    TextUse clip =
        new TextUse(TextUse.Kind.CLIP, TextUse.States.PENULTIMATE, TextUse.Pooled.PROJECTED);
    Shows.Text text =
        new Shows.Text(
            textTokens, textWidth, false, false, pooled, List.of(clip, clip, TextUse.T5));
    Origin origin =
        new Origin(
            Flow.of(samples.height() / patch * (samples.width() / patch)),
            "flow-euler",
            Spacing.LINSPACE,
            samples.channels(),
            OptionalDouble.of(7),
            1.5305,
            0.0609);
    return new Interface(samples, Element.FP32, text, origin);
  }

  @Override
  public String architecture() {
    String second = dual.isEmpty() ? "" : "-dual" + dual.size();
    String name = "SD3%s-%dx%d%s/%d".formatted(normed ? ".5" : "", depth, width, second, patch);
    return switch (name) {
      case "SD3-24x1536/2" -> "SD3-medium";
      case "SD3.5-24x1536-dual13/2" -> "SD3.5-medium";
      case "SD3.5-38x2432/2" -> "SD3.5-large";
      default -> name;
    };
  }

  @Override
  public List<Branch> branches() {
    List<Branch> branches = new ArrayList<>();
    for (int block = 0; block < depth; block++) {
      branches.add(new Branch(block, ATTENTION));
      if (dual.contains(block)) {
        branches.add(new Branch(block, SECOND_ATTENTION));
      }
      branches.add(new Branch(block, MLP));
      if (!isLast(block)) {
        branches.add(new Branch(block, TEXT_MLP));
      }
    }
    return branches;
  }

  @Override
  public boolean takesSkipLayers() {
    return true;
  }

  private boolean isLast(int block) {
    return block == depth - 1;
  }

  @Override
  public <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs) {
    Shows.Text takes = io.text().orElseThrow();
    T time = Layers.sinusoids(ops, inputs.get("timestep"), Layers.FEATURES, DIVISOR); // (B, 256)
    time = both().embedded(ops, time, "timestep_embedder", Layers.FEATURES);
    T pooled = ops.toPrecision(inputs.get("pooled_text")); // (B, pooled)
    T both = ops.add(time, both().embedded(ops, pooled, "text_embedder", takes.pooled())); // (B, D)
    T silu = ops.silu(both);
    Map<String, Supplier<T>> out = new LinkedHashMap<>();
    out.put(CONTEXT, () -> both().context(ops, inputs, takes)); // (B, T, D)
    for (int block = 0; block < depth; block++) {
      String norm = prefix(block) + "norm1";
      int rows = dual.contains(block) ? 9 : 6; // (B, 6 or 9, D)
      out.put(modulation(block), () -> both().rows(ops, silu, norm + ".linear", rows));
      int textRows = isLast(block) ? 2 : 6; // (B, 6 or 2, D)
      out.put(
          textModulation(block), () -> both().rows(ops, silu, norm + "_context.linear", textRows));
    }
    out.put(LAST, () -> both().rows(ops, silu, "norm_out.linear", 2)); // (B, 2, D)
    return out;
  }

  @Override
  public <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning) {
    T x = Layers.patches(ops, sample, "pos_embed.proj", io.channels(), width, patch); // (B, N, D)
    x = ops.add(x, ops.parameter(POSITIONS, 1, tokens(), width));
    return Streams.of(x).with(TEXT, conditioning.get(CONTEXT)); // (B, T, D)
  }

  @Override
  public <T> Streams<T> enter(
      Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    return dual.contains(block) ? streams.with(ENTRY, streams.hidden()) : streams;
  }

  @Override
  public <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning) {
    int block = branch.block();
    return switch (branch.kind()) {
      case ATTENTION -> attention(ops, block, streams, conditioning);
      case SECOND_ATTENTION -> {
        T rows = conditioning.get(modulation(block));
        T x =
            both()
                .normed(
                    ops,
                    streams.get(ENTRY),
                    SHIFT_SECOND.of(ops, rows),
                    SCALE_SECOND.of(ops, rows));
        String attn = prefix(block) + "attn2.";
        T q = query(ops, x, attn + "to_q", attn + "norm_q");
        T k = query(ops, x, attn + "to_k", attn + "norm_k");
        T v = ops.linear(x, attn + "to_v", width, width); // (B, N, D)
        yield ops.linear(ops.attention(q, k, v, heads, width), attn + "to_out.0", width, width);
      }
      case MLP -> both().mlp(ops, block, streams, conditioning);
      default -> both().textMlp(ops, block, streams, conditioning);
    };
  }

  /** Both streams' output: (B, N + T, D), the picture's first; the last block's is (B, N, D). */
  private <T> T attention(Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    String attn = prefix(block) + "attn.";
    boolean last = isLast(block);
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
                (last ? SHIFT_LAST : SHIFT_ATTENTION).of(ops, text),
                (last ? SCALE_LAST : SCALE_ATTENTION).of(ops, text));
    T q = query(ops, x, attn + "to_q", attn + "norm_q"); // (B, N, D)
    if (!last) {
      T asked = query(ops, c, attn + "add_q_proj", attn + "norm_added_q");
      q = ops.concat(1, List.of(q, asked)); // (B, N + T, D)
    }
    T k = query(ops, x, attn + "to_k", attn + "norm_k");
    k = ops.concat(1, List.of(k, query(ops, c, attn + "add_k_proj", attn + "norm_added_k")));
    T v = ops.linear(x, attn + "to_v", width, width);
    v = ops.concat(1, List.of(v, ops.linear(c, attn + "add_v_proj", width, width)));
    T mixed = ops.attention(q, k, v, heads, width);
    if (last) {
      return ops.linear(mixed, attn + "to_out.0", width, width);
    }
    T ofPicture = ops.linear(picture(ops, mixed), attn + "to_out.0", width, width);
    T ofText = ops.linear(text(ops, mixed), attn + "to_add_out", width, width);
    return ops.concat(1, List.of(ofPicture, ofText));
  }

  private <T> T picture(Ops<T> ops, T both) {
    return ops.slice(both, 1, 0, tokens());
  }

  private <T> T text(Ops<T> ops, T both) {
    return ops.slice(both, 1, tokens(), tokens() + io.text().orElseThrow().tokens());
  }

  /** Queries or keys, (B, ., D); in 3.5 each head's are normed. */
  private <T> T query(Ops<T> ops, T x, String map, String norm) {
    T mapped = ops.linear(x, map, width, width);
    if (!normed) {
      return mapped;
    }
    int head = width / heads;
    T apart = ops.toFloat(ops.reshape(mapped, 0, 0, heads, head));
    return ops.reshape(ops.rmsNorm(apart, norm + ".weight", head, EPS), 0, 0, width);
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
          isLast(block)
              ? TwoStreams.hidden(
                  ops, streams, terms, GATE_ATTENTION.of(ops, conditioning.get(modulation(block))))
              : TwoStreams.joinAttention(
                  ops,
                  block,
                  streams,
                  terms,
                  conditioning,
                  output -> picture(ops, output),
                  output -> text(ops, output));
      case SECOND_ATTENTION ->
          TwoStreams.hidden(
                  ops, streams, terms, GATE_SECOND.of(ops, conditioning.get(modulation(block))))
              .without(ENTRY);
      case MLP -> TwoStreams.joinMlp(ops, block, streams, terms, conditioning);
      default -> TwoStreams.joinTextMlp(ops, block, streams, terms, conditioning);
    };
  }

  @Override
  public <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning) {
    T last = conditioning.get(LAST); // (B, 2, D)
    T x = both().normed(ops, streams.hidden(), SHIFT_LAST.of(ops, last), SCALE_LAST.of(ops, last));
    int out = io.outputChannels();
    x = ops.linear(x, "proj_out", width, patch * patch * out); // (B, N, P P O)
    return Layers.picture(ops, x, io.height() / patch, io.width() / patch, patch, out);
  }

  private int tokens() {
    return io.height() / patch * (io.width() / patch);
  }

  private TwoStreams both() {
    return new TwoStreams(width);
  }
}
