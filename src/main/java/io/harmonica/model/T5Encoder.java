package io.harmonica.model;

import java.util.Optional;

/**
 * The encoder of T5 v1.1 (Raffel et al., arXiv 1910.10683; Hugging Face {@code T5EncoderModel},
 * whose parameter names are used). Its hidden state grows beyond fp16, so its norms are fp32, too.
 *
 * @param vocabulary V, rows of the token table
 * @param width D of a token
 * @param heads of the attention
 * @param headWidth of one; together they need not be as wide as a token
 * @param innerWidth of the feed-forward
 * @param depth number of blocks
 * @param buckets of distances between tokens, half of them for each direction
 * @param farthest distance from which on all share a bucket
 * @param eps of the norms
 */
public record T5Encoder(
    int vocabulary,
    int width,
    int heads,
    int headWidth,
    int innerWidth,
    int depth,
    int buckets,
    int farthest,
    double eps)
    implements TextEncoder {

  private static final String BIAS =
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

  /** What a masked token's score gets on top: no share of the attention is left for it. */
  private static final float MASKED = -Float.MAX_VALUE;

  /** A power of two, so that it costs no digit: keeps the feed-forward's output within fp16. */
  private static final float HEADROOM = 256;

  @Override
  public TextUse.Kind kind() {
    return TextUse.Kind.T5;
  }

  @Override
  public long tableElements() {
    return (long) vocabulary * width;
  }

  @Override
  public long blockElements() {
    return (4L * heads * headWidth + 3L * innerWidth + 2) * width;
  }

  @Override
  public <T> T embed(Ops<T> ops, T ids, int tokens) {
    T rows = ops.toFloat(ops.embedding(ids, "shared.weight", vocabulary, width)); // (B N, D)
    return ops.reshape(rows, -1, tokens, width);
  }

  /** By the distance between tokens; what is masked gets no share. */
  @Override
  public <T> T bias(Ops<T> ops, Optional<T> mask, int tokens) {
    int[] bucket = new int[tokens * tokens];
    for (int query = 0; query < tokens; query++) {
      for (int key = 0; key < tokens; key++) {
        bucket[query * tokens + key] = bucket(key - query);
      }
    }
    T distance = ops.toFloat(ops.embedding(bucket, BIAS, buckets, heads)); // (N N, heads)
    distance = ops.transpose(ops.reshape(distance, 1, tokens, tokens, heads), 0, 3, 1, 2);
    if (mask.isEmpty()) {
      return ops.toPrecision(distance);
    }
    T padding = ops.add(ops.toFloat(mask.get()), ops.constant(new float[] {-1}, 1)); // 0, or -1
    padding = ops.mul(padding, ops.constant(new float[] {-MASKED}, 1));
    padding = ops.reshape(padding, -1, 1, 1, tokens);
    return ops.toPrecision(ops.add(distance, padding));
  }

  /** Attention, then a gated feed-forward. */
  @Override
  public <T> T block(Ops<T> ops, int index, T hidden, T bias) {
    String attention = "encoder.block." + index + ".layer.0.";
    int inner = heads * headWidth;
    T x = ops.rmsNorm(hidden, attention + "layer_norm.weight", width, eps);
    T q = ops.project(x, attention + "SelfAttention.q.weight", width, inner);
    T k = ops.project(x, attention + "SelfAttention.k.weight", width, inner);
    T v = ops.project(x, attention + "SelfAttention.v.weight", width, inner);
    // T5 has no factor 1 / sqrt(headWidth), which is in the operation: taken out beforehand.
    float[] factor = {(float) Math.sqrt(headWidth)};
    q = ops.mul(q, ops.toPrecision(ops.constant(factor, 1)));
    x = ops.attention(q, k, v, bias, heads, inner); // (B, N, inner)
    x = ops.project(x, attention + "SelfAttention.o.weight", inner, width);
    T attended = ops.add(hidden, ops.toFloat(x));

    String feed = "encoder.block." + index + ".layer.1.";
    x = ops.rmsNorm(attended, feed + "layer_norm.weight", width, eps);
    T gate = ops.project(x, feed + "DenseReluDense.wi_0.weight", width, innerWidth);
    gate = ops.gelu(gate, Gelu.TANH);
    x = ops.mul(gate, ops.project(x, feed + "DenseReluDense.wi_1.weight", width, innerWidth));
    x = ops.mul(x, ops.toPrecision(ops.constant(new float[] {1 / HEADROOM}, 1)));
    x = ops.toFloat(ops.project(x, feed + "DenseReluDense.wo.weight", innerWidth, width));
    return ops.add(attended, ops.mul(x, ops.constant(new float[] {HEADROOM}, 1)));
  }

  /** The last states, with the final norm; it has nothing else. */
  @Override
  public <T> TextUse.Made<T> finish(Ops<T> ops, T before, T hidden, T ids, TextUse use) {
    String norm = "encoder.final_layer_norm.weight";
    T states = ops.toFloat(ops.rmsNorm(hidden, norm, width, eps)); // (B, N, D)
    return new TextUse.Made<>(Optional.of(states), Optional.empty());
  }

  @Override
  public int pooledWidth(TextUse.Pooled pooled) {
    return 0;
  }

  /**
   * The bucket of a distance: one each for near tokens, then ever wider ones, the upper half for
   * tokens that come later.
   *
   * @param distance key minus query
   */
  int bucket(int distance) {
    int half = buckets / 2;
    int near = half / 2;
    int first = distance > 0 ? half : 0;
    int apart = Math.abs(distance);
    if (apart < near) {
      return first + apart;
    }
    float share =
        (float) Math.log((float) apart / near) / (float) Math.log((double) farthest / near);
    return first + Math.min(half - 1, near + (int) (share * (half - near)));
  }
}
