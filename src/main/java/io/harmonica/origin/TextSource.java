package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.text.Tokenizer;
import java.nio.file.Path;

/**
 * A text encoder with the tokenizer that it was trained with, both open.
 *
 * @param source what the encoder's weights are read from
 */
public record TextSource(Checkpoint source, TextCheckpoint encoder, Tokenizer tokenizer)
    implements AutoCloseable {

  /**
   * Opens the two; the caller closes them.
   *
   * @param encoder a folder, as of a pipeline's {@code text_encoder}
   * @param tokenizer a folder or file of {@link Tokenizer#open}
   * @throws HarmonicaException if one cannot be read, or they do not fit
   */
  public static TextSource open(Path encoder, Path tokenizer) {
    Checkpoint source = Checkpoint.open(encoder);
    Tokenizer words = null;
    try {
      TextCheckpoint text = TextCheckpoint.of(source);
      words = Tokenizer.open(tokenizer);
      int vocabulary = text.encoder().vocabulary();
      if (words.size() > vocabulary) {
        throw new HarmonicaException(
            "tokenizer %s has ids up to %d, and text encoder %s a table of %d tokens: give the tokenizer that it was trained with"
                .formatted(tokenizer, words.size() - 1, encoder, vocabulary));
      }
      return new TextSource(source, text, words);
    } catch (RuntimeException e) {
      source.close();
      if (words != null) {
        words.close();
      }
      throw e;
    }
  }

  @Override
  public void close() {
    tokenizer.close();
    source.close();
  }
}
