package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.origin.PipelineParts;
import io.harmonica.origin.TextSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The options that name text encoders and their tokenizers, and what they find. */
final class TextFiles {
  private static final String NONE = "none";

  /** What the options of each text encoder of a model end in. */
  private static final List<String> SUFFIXES = List.of("", "-2", "-3");

  private TextFiles() {}

  /** Adds what {@link #all} reads. */
  static OptionList options(OptionList options) {
    return options
        .value(
            "text-encoder",
            "DIR|none",
            "what embeds prompts, a T5 or a CLIP (default: the folder text_encoder of the"
                + " checkpoint's pipeline); none: leave it out, texts come embedded")
        .value("tokenizer", "DIR", "its tokenizer (default: the folder tokenizer beside it)")
        .value("text-encoder-2", "DIR|none", "the second one of a model that takes several")
        .value("tokenizer-2", "DIR", "its tokenizer (default: tokenizer_2 beside it)")
        .value("text-encoder-3", "DIR|none", "the third; none: as if all its states were 0")
        .value("tokenizer-3", "DIR", "its tokenizer (default: tokenizer_3 beside it)");
  }

  /** Several, open. */
  record All(List<Optional<TextSource>> files) implements AutoCloseable {
    boolean areThere() {
      return files.stream().anyMatch(Optional::isPresent);
    }

    @Override
    public void close() {
      files.forEach(some -> some.ifPresent(TextSource::close));
    }
  }

  /**
   * Every text encoder that the command line names, or that lies in the checkpoint's pipeline.
   *
   * @throws HarmonicaException if one of them is there without its tokenizer, or they do not fit
   */
  static All all(Arguments arguments, PipelineParts parts) {
    List<Optional<TextSource>> found = new ArrayList<>();
    try {
      if (none(arguments, 0)) {
        for (String suffix : SUFFIXES) {
          arguments.refuse("tokenizer" + suffix, "with --text-encoder none");
        }
        for (String suffix : SUFFIXES.subList(1, SUFFIXES.size())) {
          arguments.refuse("text-encoder" + suffix, "with --text-encoder none");
        }
        return new All(List.of());
      }
      for (int number = 0; number < SUFFIXES.size(); number++) {
        found.add(find(arguments, parts, number));
      }
      return new All(found);
    } catch (RuntimeException e) {
      new All(found).close();
      throw e;
    }
  }

  private static boolean none(Arguments arguments, int number) {
    return arguments.text("text-encoder" + SUFFIXES.get(number)).filter(NONE::equals).isPresent();
  }

  private static Optional<TextSource> find(Arguments arguments, PipelineParts parts, int number) {
    String suffix = SUFFIXES.get(number);
    if (none(arguments, number)) {
      arguments.refuse("tokenizer" + suffix, "with --text-encoder" + suffix + " none");
      return Optional.empty();
    }
    Optional<Path> asked = arguments.path("text-encoder" + suffix);
    Optional<Path> encoder = asked.or(() -> parts.textEncoder(number));
    Optional<Path> tokenizer =
        arguments
            .path("tokenizer" + suffix)
            .or(() -> asked.flatMap(path -> PipelineParts.tokenizerBeside(path, number)))
            .or(() -> parts.tokenizer(number));
    if (encoder.isPresent() != tokenizer.isPresent()) {
      throw new HarmonicaException(
          encoder.isPresent()
              ? "text encoder %s has no folder tokenizer%s beside it: name one with --tokenizer%s, or say --text-encoder%s none"
                  .formatted(encoder.get(), suffix.replace('-', '_'), suffix, suffix)
              : "tokenizer %s has no use without a text encoder: name one with --text-encoder%s, or say --text-encoder%s none"
                  .formatted(tokenizer.get(), suffix, suffix));
    }
    return encoder.isPresent() && tokenizer.isPresent()
        ? Optional.of(TextSource.open(encoder.get(), tokenizer.get()))
        : Optional.empty();
  }
}
