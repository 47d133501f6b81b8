package io.harmonica.repository;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.harmonica.model.Shows;
import io.harmonica.model.TextUse;
import java.util.List;

/**
 * The text that a model takes.
 *
 * @param tokens of every prompt, padding included
 * @param width of an embedded token
 * @param pictureSize whether it is told the picture's size as well
 * @param mask false where it is not told which tokens count, as padding is part of the text; else
 *     null
 * @param encoder the model that embeds prompts, where it is one whose output is taken whole, with
 *     the tokenizer in parameter {@value Manifest#TOKENIZER} of its configuration; else null
 * @param pooled elements of a vector for the whole text; null where it takes none
 * @param encoders the models that embed prompts, where {@code encoder} does not say it; else null
 * @param guided true where it is told the scale of guidance, and takes one row for it; else null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ManifestText(
    int tokens,
    int width,
    boolean pictureSize,
    Boolean mask,
    String encoder,
    Integer pooled,
    List<Encoder> encoders,
    Boolean guided) {
  /** A model's whose prompts others embed. */
  public ManifestText(int tokens, int width, boolean pictureSize) {
    this(tokens, width, pictureSize, null, null, null, null, null);
  }

  /** As the model has it, with what embeds its prompts. */
  public static ManifestText of(Shows.Text takes, List<Encoder> encoders) {
    Encoder whole =
        encoders.size() == 1
            ? Encoder.whole(encoders.get(0).model, takes.tokens(), takes.width())
            : null;
    boolean one = encoders.size() == 1 && encoders.get(0).equals(whole);
    return new ManifestText(
        takes.tokens(),
        takes.width(),
        takes.pictureSize(),
        takes.mask() ? null : false,
        one ? whole.model : null,
        takes.pooled() == 0 ? null : takes.pooled(),
        one || encoders.isEmpty() ? null : encoders,
        takes.guided() ? true : null);
  }

  /** What embeds prompts; none where others do. */
  public List<Encoder> embedders() {
    return encoders != null
        ? encoders
        : encoder == null ? List.of() : List.of(Encoder.whole(encoder, tokens, width));
  }

  Shows.Text shows() {
    List<TextUse> unknown = List.of(); // what is used of encoders only an export asks
    return new Shows.Text(
        tokens,
        width,
        takesMask(),
        pictureSize,
        pooled == null ? 0 : pooled,
        unknown,
        guided != null && guided);
  }

  /** Whether it is told which tokens count. */
  boolean takesMask() {
    return mask == null || mask;
  }

  /**
   * A model that embeds prompts, and where its outputs go: {@code text_embedding} from a row and a
   * column on, {@code pooled_text} from an element on. What none fills is zeros.
   *
   * @param prompt which of a picture's prompts it embeds, from 0
   * @param tokens of every prompt, padding included
   * @param width of an embedded token; 0 where these are not taken
   * @param pooled elements of its vector for the whole text; 0 where it is not taken
   */
  public record Encoder(
      String model, int prompt, int tokens, int width, int row, int column, int pooled, int from) {
    static Encoder whole(String model, int tokens, int width) {
      return new Encoder(model, 0, tokens, width, 0, 0, 0, 0);
    }
  }
}
