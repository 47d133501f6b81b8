package io.harmonica.generate;

import java.util.List;

/**
 * What a text encoder reads of a picture: one text, or one for each of a model's text encoders.
 *
 * <pre>{@code
 * Prompt.of("a lighthouse");                             // all encoders read this
 * Prompt.of("a lighthouse", "oil on canvas");            // the second another, a third the first
 * }</pre>
 *
 * @param texts for each encoder in the model's order; empty ones and those that are left out are
 *     the first, as in diffusers' pipelines
 */
public record Prompt(List<String> texts) {
  public Prompt {
    texts = List.copyOf(texts);
    if (texts.isEmpty()) {
      throw new IllegalArgumentException("a prompt has no text, expected one or several");
    }
  }

  public static Prompt of(String... texts) {
    return new Prompt(List.of(texts));
  }

  /** What an encoder reads. */
  String text(int encoder) {
    String own = encoder < texts.size() ? texts.get(encoder) : "";
    return own.isEmpty() ? texts.get(0) : own;
  }
}
