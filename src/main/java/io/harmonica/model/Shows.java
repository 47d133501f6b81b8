package io.harmonica.model;

import io.harmonica.Element;
import io.harmonica.Port;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model is told of the picture that it shall draw, beside the time: one of its classes, a
 * text, or nothing.
 */
public sealed interface Shows {

  /** The inputs that say it. */
  List<Port> ports();

  /** What guidance leads away from. */
  Unconditional unconditional();

  /** Whether it is told the scale of guidance, and so takes one row for each picture. */
  default boolean guided() {
    return false;
  }

  /**
   * One of its classes: {@code class_label}.
   *
   * @param count of labels, from 0
   * @param nullClass whether {@code count} itself is the label of guidance's null class
   */
  record Classes(int count, boolean nullClass) implements Shows {
    @Override
    public List<Port> ports() {
      return List.of(new Port("class_label", Element.INT64, 1));
    }

    @Override
    public Unconditional unconditional() {
      return nullClass ? Unconditional.NULL_CLASS : Unconditional.NONE;
    }
  }

  /**
   * A text: {@code text_embedding}, the text encoder's last hidden state, and for most models
   * {@code text_mask}, 1 for a token that counts and 0 for padding.
   *
   * @param tokens of every prompt, padding included
   * @param width of an embedded token
   * @param mask whether it is told which tokens count; else all do, as padding is part of the text
   * @param pictureSize whether it is told the picture's size as well: {@code resolution}, its
   *     height and width in pixels, and {@code aspect_ratio}, height / width
   * @param pooled elements of {@code pooled_text}, a vector for the whole text; 0: it takes none
   * @param uses what it takes of each text encoder, in the order of the prompts: see {@code
   *     origin.TextLayout}
   * @param guided whether it is told the scale of guidance, {@code guidance_scale}, and so takes
   *     one row for each picture: its guidance is distilled (Meng et al., arXiv 2210.03142)
   */
  record Text(
      int tokens,
      int width,
      boolean mask,
      boolean pictureSize,
      int pooled,
      List<TextUse> uses,
      boolean guided)
      implements Shows {
    public Text {
      uses = List.copyOf(uses);
    }

    /** One that takes the last states of a T5. */
    public Text(int tokens, int width, boolean mask, boolean pictureSize) {
      this(tokens, width, mask, pictureSize, 0, List.of(TextUse.T5), false);
    }

    /** One that is not told the scale of guidance. */
    public Text(
        int tokens, int width, boolean mask, boolean pictureSize, int pooled, List<TextUse> uses) {
      this(tokens, width, mask, pictureSize, pooled, uses, false);
    }

    /** One that takes the last states of a CLIP, those of the padding too. */
    public static Text ofClip(int tokens, int width) {
      return new Text(tokens, width, false, false, 0, List.of(TextUse.CLIP));
    }

    /** One that is told which tokens count. */
    public Text(int tokens, int width, boolean pictureSize) {
      this(tokens, width, true, pictureSize);
    }

    @Override
    public List<Port> ports() {
      List<Port> ports = new ArrayList<>();
      ports.add(new Port("text_embedding", Element.FP32, tokens, width));
      if (pooled > 0) {
        ports.add(new Port("pooled_text", Element.FP32, pooled));
      }
      if (guided) {
        ports.add(new Port("guidance_scale", Element.FP32, 1));
      }
      if (mask) {
        ports.add(new Port("text_mask", Element.INT64, tokens));
      }
      if (pictureSize) {
        ports.add(new Port("resolution", Element.FP32, 2));
        ports.add(new Port("aspect_ratio", Element.FP32, 1));
      }
      return ports;
    }

    @Override
    public Unconditional unconditional() {
      return Unconditional.TEXT;
    }
  }

  /** Nothing: it draws whatever it was trained on. */
  record Anything() implements Shows {
    @Override
    public List<Port> ports() {
      return List.of();
    }

    @Override
    public Unconditional unconditional() {
      return Unconditional.NOTHING;
    }
  }
}
