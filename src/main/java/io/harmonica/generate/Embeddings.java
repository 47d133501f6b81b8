package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Shows;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Texts as a text encoder embedded them: its last hidden states.
 *
 * <p>The arrays are not copied, neither in nor out, as they are large: whoever makes embeddings
 * leaves them as they are. Then many threads may use them. Two are equal where they hold the same
 * arrays.
 *
 * @param values row-major {@code [count, tokens, width]}
 * @param mask {@code [count, tokens]}: 1 for a token that counts, 0 for padding
 * @param pooled {@code [count, elements]}: a vector for each whole text; empty where a model takes
 *     none
 */
public record Embeddings(
    float[] values, long[] mask, int count, int tokens, int width, float[] pooled) {

  /** Without vectors for whole texts. */
  public Embeddings(float[] values, long[] mask, int count, int tokens, int width) {
    this(values, mask, count, tokens, width, new float[0]);
  }

  public Embeddings {
    if (count < 1 || tokens < 1 || width < 1) {
      throw new IllegalArgumentException(
          "text embeddings [%d, %d, %d] are empty".formatted(count, tokens, width));
    }
    if (values.length != count * tokens * width || mask.length != count * tokens) {
      throw new IllegalArgumentException(
          "text embeddings of %d values with a mask of %d do not fill [%d, %d, %d] and [%d, %d]"
              .formatted(values.length, mask.length, count, tokens, width, count, tokens));
    }
    if (pooled.length % count != 0) {
      throw new IllegalArgumentException(
          "pooled text embeddings of %d values are not of %d texts"
              .formatted(pooled.length, count));
    }
    if (Arrays.stream(mask).anyMatch(kept -> kept != 0 && kept != 1)) {
      throw new IllegalArgumentException("a mask of text embeddings has others than 0 and 1");
    }
  }

  /** Elements of the vector for a whole text; 0: there is none. */
  public int pooledWidth() {
    return pooled.length / count;
  }

  /**
   * Copies an encoder's states to where they belong, while these are made.
   *
   * @param states row-major [texts, tokens, width], of which those of {@code text} go to ours; of
   *     width 0 there are none
   * @param row of the first state
   * @param column of its first element
   */
  public void put(float[] states, int text, int tokens, int width, int row, int column) {
    for (int token = 0; token < tokens && width > 0; token++) {
      int to = (row + token) * this.width + column;
      System.arraycopy(states, (text * tokens + token) * width, values, to, width);
    }
  }

  /** Texts {@code from} (inclusive) to {@code to} (exclusive); a lone one serves for any. */
  public Embeddings rows(int from, int to) {
    if (to - from == count) {
      return this;
    }
    if (count == 1) {
      return repeated(to - from);
    }
    return new Embeddings(
        Arrays.copyOfRange(values, from * tokens * width, to * tokens * width),
        Arrays.copyOfRange(mask, from * tokens, to * tokens),
        to - from,
        tokens,
        width,
        Arrays.copyOfRange(pooled, from * pooledWidth(), to * pooledWidth()));
  }

  /** Texts of one size, one after the other. */
  public static Embeddings of(List<Embeddings> parts) {
    Embeddings first = parts.get(0);
    int count = parts.stream().mapToInt(Embeddings::count).sum();
    FloatBuffer values = FloatBuffer.allocate(count * first.tokens * first.width);
    LongBuffer mask = LongBuffer.allocate(count * first.tokens);
    FloatBuffer pooled = FloatBuffer.allocate(count * first.pooledWidth());
    for (Embeddings part : parts) {
      values.put(part.values);
      mask.put(part.mask);
      pooled.put(part.pooled);
    }
    return new Embeddings(
        values.array(), mask.array(), count, first.tokens, first.width, pooled.array());
  }

  /** Those of these indices, in their order. */
  Embeddings select(List<Integer> indices) {
    return of(indices.stream().map(i -> rows(i, i + 1)).toList());
  }

  /** One text for {@code times} pictures. */
  public Embeddings repeated(int times) {
    if (count != 1) {
      throw new IllegalArgumentException(count + " texts cannot be repeated, only one can");
    }
    float[] copies = new float[times * values.length];
    long[] masks = new long[times * tokens];
    float[] pools = new float[times * pooled.length];
    for (int i = 0; i < times; i++) {
      System.arraycopy(pooled, 0, pools, i * pooled.length, pooled.length);
      System.arraycopy(values, 0, copies, i * values.length, values.length);
      System.arraycopy(mask, 0, masks, i * tokens, tokens);
    }
    return new Embeddings(copies, masks, times, tokens, width, pools);
  }

  /**
   * As a model takes them: with padding added or dropped, or where padding is part of the text, as
   * they are.
   *
   * @throws HarmonicaException if tokens that count would be added or dropped
   */
  public Embeddings as(Shows.Text takes) {
    if (!takes.mask() && tokens != takes.tokens()) {
      throw new HarmonicaException(
          "texts have %d tokens, and the model takes %d, those of the padding embedded too: embed them padded to so many"
              .formatted(tokens, takes.tokens()));
    }
    return withTokens(takes.tokens());
  }

  /**
   * With padding added or dropped, which changes no picture of a model that takes the mask.
   *
   * @throws HarmonicaException if tokens that count would be dropped
   */
  Embeddings withTokens(int other) {
    if (other == tokens) {
      return this;
    }
    float[] fitted = new float[count * other * width];
    long[] masks = new long[count * other];
    int kept = Math.min(tokens, other);
    for (int i = 0; i < count; i++) {
      for (int token = other; token < tokens; token++) {
        if (mask[i * tokens + token] != 0) {
          throw new HarmonicaException(
              "text %d has more tokens than the %d that the model takes: shorten it, or export the model with `textTokens` %d"
                  .formatted(i, other, tokens));
        }
      }
      System.arraycopy(values, i * tokens * width, fitted, i * other * width, kept * width);
      System.arraycopy(mask, i * tokens, masks, i * other, kept);
    }
    return new Embeddings(fitted, masks, count, other, width, pooled);
  }
}
