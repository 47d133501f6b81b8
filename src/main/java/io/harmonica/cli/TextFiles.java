package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.PipelineParts;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.text.Tokenizer;
import java.nio.file.Path;
import java.util.Optional;

/** A text encoder with its tokenizer, open. */
record TextFiles(Checkpoint source, TextCheckpoint encoder, Tokenizer tokenizer)
    implements AutoCloseable {
  private static final String NONE = "none";

  /** Adds what {@link #find} reads. */
  static OptionList options(OptionList options) {
    return options
        .value(
            "text-encoder",
            "DIR|none",
            "PixArt: what embeds prompts, a T5 (default: the folder text_encoder of the checkpoint's"
                + " pipeline); none: leave it out, texts come embedded")
        .value("tokenizer", "DIR", "its tokenizer (default: the folder tokenizer beside it)");
  }

  /**
   * Those that the command line names, or that lie in the checkpoint's pipeline, or none.
   *
   * @throws HarmonicaException if one of them is there without the other, or they do not fit
   */
  static Optional<TextFiles> find(Arguments arguments, PipelineParts parts) {
    if (arguments.text("text-encoder").filter(NONE::equals).isPresent()) {
      arguments.refuse("tokenizer", "with --text-encoder none");
      return Optional.empty();
    }
    Optional<Path> asked = arguments.path("text-encoder");
    Optional<Path> encoder = asked.or(parts::textEncoder);
    Optional<Path> tokenizer =
        arguments
            .path("tokenizer")
            .or(() -> asked.flatMap(PipelineParts::tokenizerBeside))
            .or(parts::tokenizer);
    if (encoder.isPresent() != tokenizer.isPresent()) {
      throw new HarmonicaException(
          encoder.isPresent()
              ? "text encoder %s has no folder tokenizer beside it: name one with --tokenizer, or say --text-encoder none"
                  .formatted(encoder.get())
              : "tokenizer %s has no use without a text encoder: name one with --text-encoder, or say --text-encoder none"
                  .formatted(tokenizer.get()));
    }
    return encoder.isPresent() && tokenizer.isPresent()
        ? Optional.of(open(encoder.get(), tokenizer.get()))
        : Optional.empty();
  }

  private static TextFiles open(Path encoder, Path tokenizer) {
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
      return new TextFiles(source, text, words);
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
