package io.harmonica.text;

import java.util.Arrays;

/**
 * A prompt as a text encoder takes it.
 *
 * @param ids of its tokens, the end of the text last, then padding
 * @param mask 1 for a token that counts, 0 for padding
 * @param dropped the end of the prompt that did not fit; empty where all did
 */
public record Tokens(long[] ids, long[] mask, String dropped) {
  /** What to tell of what was dropped. */
  public String warning() {
    return "the model takes %d tokens of a text, and this one has more: dropped '%s'"
        .formatted(ids.length, dropped);
  }

  /** Brings ids to a length: padded, or cut before the last one, which says that the text ends. */
  static Tokens of(long[] whole, int length, long padding, String dropped) {
    long[] ids = Arrays.copyOf(whole, length);
    if (whole.length > length) {
      ids[length - 1] = whole[whole.length - 1];
    }
    Arrays.fill(ids, Math.min(whole.length, length), length, padding);
    long[] mask = new long[length];
    Arrays.fill(mask, 0, Math.min(whole.length, length), 1);
    return new Tokens(ids, mask, dropped);
  }
}
