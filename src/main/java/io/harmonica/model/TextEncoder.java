package io.harmonica.model;

import java.util.Optional;

/**
 * What turns a prompt's tokens into what a denoiser takes: a {@link T5Encoder} or a {@link
 * ClipEncoder}.
 *
 * <p>A pass is {@code embed}, each {@code block} in order, then {@code finish}. Legend of shape
 * comments: B prompts, N tokens, D width, V vocabulary. The hidden state is fp32 in every
 * precision.
 */
public sealed interface TextEncoder permits T5Encoder, ClipEncoder {

  /** Name of the hidden state where a pass is cut: (B, N, D), fp32. */
  String HIDDEN = "hidden";

  /** Which of the two it is. */
  TextUse.Kind kind();

  /** V, rows of the token table. */
  int vocabulary();

  /** D of a token. */
  int width();

  /** Number of blocks. */
  int depth();

  /** Elements of the token table. */
  long tableElements();

  /** Elements of a block's parameters. */
  long blockElements();

  /** The tokens' own embeddings: int64 (B, N) to (B, N, D). */
  <T> T embed(Ops<T> ops, T ids, int tokens);

  /**
   * What is added to the scores of every block's attention: it broadcasts to (B, heads, N, N).
   *
   * @param mask int64 (B, N): 1 for a token that counts, 0 for padding; none where all count
   */
  <T> T bias(Ops<T> ops, Optional<T> mask, int tokens);

  /** One block, added to the hidden state (B, N, D). */
  <T> T block(Ops<T> ops, int index, T hidden, T bias);

  /**
   * What a denoiser takes.
   *
   * @param before the hidden state before the last block
   * @param hidden after it
   * @param ids int64 (B, N), for what is read at the text's end
   */
  <T> TextUse.Made<T> finish(Ops<T> ops, T before, T hidden, T ids, TextUse use);

  /** Elements of the vector for a whole text; 0 where none is used. */
  int pooledWidth(TextUse.Pooled pooled);

  /** The whole pass: int64 (B, N) and mask to what is used. */
  default <T> TextUse.Made<T> encode(Ops<T> ops, T ids, Optional<T> mask, int tokens, TextUse use) {
    T bias = bias(ops, mask, tokens);
    T hidden = embed(ops, ids, tokens);
    T before = hidden;
    for (int i = 0; i < depth(); i++) {
      before = hidden;
      hidden = block(ops, i, hidden, bias);
    }
    return finish(ops, before, hidden, ids, use);
  }
}
