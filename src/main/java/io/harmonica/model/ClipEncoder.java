package io.harmonica.model;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The text half of CLIP (Radford et al., arXiv 2103.00020; Hugging Face {@code CLIPTextModel},
 * whose parameter names are used): each token attends to those before it only, so that the last
 * one, which ends the text, stands for all of it.
 *
 * @param quick whether its activation is {@code x sigmoid(1.702 x)}, as in OpenAI's, or an exact
 *     GELU
 * @param end the token at whose first place a text ends; empty: it is the largest that a text has
 * @param projection elements of a projected text; 0 where the file has no projection
 * @param eps of the norms
 */
public record ClipEncoder(Sizes sizes, boolean quick, OptionalInt end, int projection, double eps)
    implements TextEncoder {

  private static final String PREFIX = "text_model.";

  /** What a later token's score gets on top: no share of the attention is left for it. */
  private static final float MASKED = -Float.MAX_VALUE;

  private static final float QUICK = 1.702f;

  /**
   * How large it is.
   *
   * @param positions most tokens of a text
   * @param innerWidth of the feed-forward
   */
  public record Sizes(
      int vocabulary, int positions, int width, int heads, int innerWidth, int depth) {}

  @Override
  public TextUse.Kind kind() {
    return TextUse.Kind.CLIP;
  }

  @Override
  public int vocabulary() {
    return sizes.vocabulary;
  }

  @Override
  public int width() {
    return sizes.width;
  }

  @Override
  public int depth() {
    return sizes.depth;
  }

  /** Most tokens of a text, and as many as its denoisers were trained with. */
  public int positions() {
    return sizes.positions;
  }

  @Override
  public long tableElements() {
    return (long) (sizes.vocabulary + sizes.positions) * sizes.width;
  }

  @Override
  public long blockElements() {
    long width = sizes.width;
    return 4 * (width + 1) * width + (2L * sizes.innerWidth + 5) * width + sizes.innerWidth;
  }

  @Override
  public <T> T embed(Ops<T> ops, T ids, int tokens) {
    String table = PREFIX + "embeddings.token_embedding.weight";
    T rows = ops.toFloat(ops.embedding(ids, table, sizes.vocabulary, sizes.width)); // (B N, D)
    T places =
        ops.parameter(
            PREFIX + "embeddings.position_embedding.weight", sizes.positions, sizes.width);
    if (tokens < sizes.positions) {
      places = ops.slice(places, 0, 0, tokens);
    }
    return ops.add(ops.reshape(rows, -1, tokens, sizes.width), ops.toFloat(places));
  }

  /** The same for every text: padding comes last, and only padding attends to it. */
  @Override
  public <T> T bias(Ops<T> ops, Optional<T> mask, int tokens) {
    float[] later = new float[tokens * tokens];
    for (int query = 0; query < tokens; query++) {
      for (int key = query + 1; key < tokens; key++) {
        later[query * tokens + key] = MASKED;
      }
    }
    return ops.toPrecision(ops.constant(later, 1, 1, tokens, tokens));
  }

  @Override
  public <T> T block(Ops<T> ops, int index, T hidden, T bias) {
    String layer = PREFIX + "encoder.layers." + index + ".";
    int width = sizes.width;
    T x = ops.layerNorm(ops.toPrecision(hidden), layer + "layer_norm1", width, eps);
    T q = ops.linear(x, layer + "self_attn.q_proj", width, width);
    T k = ops.linear(x, layer + "self_attn.k_proj", width, width);
    T v = ops.linear(x, layer + "self_attn.v_proj", width, width);
    x = ops.attention(q, k, v, bias, sizes.heads, width); // (B, N, D)
    x = ops.linear(x, layer + "self_attn.out_proj", width, width);
    T attended = ops.add(hidden, ops.toFloat(x));

    x = ops.layerNorm(ops.toPrecision(attended), layer + "layer_norm2", width, eps);
    x = activation(ops, ops.linear(x, layer + "mlp.fc1", width, sizes.innerWidth));
    x = ops.linear(x, layer + "mlp.fc2", sizes.innerWidth, width);
    return ops.add(attended, ops.toFloat(x));
  }

  private <T> T activation(Ops<T> ops, T x) {
    if (!quick) {
      return ops.gelu(x, Gelu.EXACT);
    }
    T factor = ops.toPrecision(ops.constant(new float[] {QUICK}, 1));
    T back = ops.toPrecision(ops.constant(new float[] {1 / QUICK}, 1));
    return ops.mul(ops.silu(ops.mul(x, factor)), back);
  }

  @Override
  public <T> TextUse.Made<T> finish(Ops<T> ops, T before, T hidden, T ids, TextUse use) {
    T last = ops.layerNorm(ops.toPrecision(hidden), PREFIX + "final_layer_norm", sizes.width, eps);
    Optional<T> states =
        switch (use.states()) {
          case NONE -> Optional.empty();
          case LAST -> Optional.of(ops.toFloat(last));
          case PENULTIMATE -> Optional.of(before);
        };
    return new TextUse.Made<>(states, pooled(ops, last, ids, use.pooled()));
  }

  private <T> Optional<T> pooled(Ops<T> ops, T last, T ids, TextUse.Pooled use) {
    if (use == TextUse.Pooled.NONE) {
      return Optional.empty();
    }
    T text = ops.rowAt(last, ids, end); // (B, D)
    if (use == TextUse.Pooled.PROJECTED) {
      text = ops.project(text, "text_projection.weight", sizes.width, projection); // (B, P)
    }
    return Optional.of(ops.toFloat(text));
  }

  @Override
  public int pooledWidth(TextUse.Pooled pooled) {
    return switch (pooled) {
      case NONE -> 0;
      case PLAIN -> sizes.width;
      case PROJECTED -> projection;
    };
  }
}
