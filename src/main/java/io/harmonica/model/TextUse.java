package io.harmonica.model;

import java.util.Optional;

/**
 * What a denoiser takes of a text encoder. For example Stable Diffusion 3 of its first CLIP: {@code
 * (CLIP, PENULTIMATE, PROJECTED)}.
 */
public record TextUse(Kind kind, States states, Pooled pooled) {

  /** The last states of a T5, as PixArt takes them. */
  public static final TextUse T5 = new TextUse(Kind.T5, States.LAST, Pooled.NONE);

  /** The last states of a CLIP, as U-ViT takes them ({@code libs/clip.py}). */
  public static final TextUse CLIP = new TextUse(Kind.CLIP, States.LAST, Pooled.NONE);

  /** Whether it takes hidden states, token by token. */
  public boolean hasStates() {
    return states != States.NONE;
  }

  /** What kind of encoder it is. */
  public enum Kind {
    T5,
    CLIP
  }

  /** Which hidden states, (B, N, D). */
  public enum States {
    NONE,
    /** The last block's, with the final norm. */
    LAST,
    /** Those of the last block but one, without it: {@code hidden_states[-2]}. */
    PENULTIMATE
  }

  /** Which vector stands for the whole text, (B, P). */
  public enum Pooled {
    NONE,
    /** The last state at the end of the text: {@code pooler_output}. */
    PLAIN,
    /** The same through the projection: {@code text_embeds}. */
    PROJECTED
  }

  /**
   * What came of it, fp32.
   *
   * @param states (B, N, D)
   * @param pooled (B, P)
   */
  public record Made<T>(Optional<T> states, Optional<T> pooled) {}
}
