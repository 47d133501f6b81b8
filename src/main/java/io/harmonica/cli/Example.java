package io.harmonica.cli;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.origin.TextSource;
import io.harmonica.router.Router;
import io.harmonica.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * A model that is shipped with its routers, and how {@code demo} draws with it.
 *
 * @param name of its folder in {@code export}, and of the exported model
 * @param title of its report
 * @param summary of its report, with places for the number of pictures and what else is drawn with
 * @param subjects names of the classes, or texts
 * @param textTokens of a text, where it draws texts
 * @param sampler of the pictures; routers for others are left out
 * @param steps of the uncached pictures
 * @param fewerSteps of those that cost about half, uncached too
 */
record Example(
    String name,
    String title,
    String summary,
    List<String> subjects,
    OptionalInt textTokens,
    String sampler,
    int steps,
    int fewerSteps,
    double guidance) {
  private static final long UNKNOWN = 2; // in its tokenizer, the id of every other word

  /** Ten shapes, by class. */
  static final Example SHAPES =
      new Example(
          "shapes-dit",
          "The same shapes with cached branches",
          "A small Diffusion Transformer draws %d pictures of ten shapes",
          List.of(
              "circle",
              "square",
              "triangle",
              "star",
              "heart",
              "cross",
              "ring",
              "crescent",
              "hexagon",
              "arrow"),
          OptionalInt.empty(),
          "ddim",
          20,
          10,
          1.5);

  /** Drawn scenes, by text; none of these combinations was trained. */
  static final Example SCENES =
      new Example(
          "scenes-pixart",
          "The same scenes with cached branches",
          "A small PixArt with its own text encoder draws %d pictures of texts",
          List.of(
              "two green squares above a red circle",
              "a large yellow star on black",
              "a blue heart left of an orange cross",
              "three pink circles on gray",
              "a small cyan triangle in the top left",
              "a purple square below a green star on white",
              "two red hearts",
              "an orange circle to the right of two blue squares"),
          OptionalInt.of(24),
          "dpm-solver++",
          20,
          10,
          3);

  /** The same with other texts. */
  Example drawing(List<String> texts) {
    return new Example(
        name, title, summary, texts, textTokens, sampler, steps, fewerSteps, guidance);
  }

  /**
   * Refuses a text with a word that the example never saw: its picture would mean nothing.
   *
   * @param checkpoint the example's folder
   */
  void requireKnownWords(Path checkpoint) {
    if (!drawsTexts()) {
      return;
    }
    try (Tokenizer tokenizer =
        Tokenizer.open(PipelineParts.of(checkpoint).tokenizer(0).orElseThrow())) {
      for (String text : subjects) {
        String unknown =
            Arrays.stream(text.strip().split("\\s+"))
                .filter(word -> tokenizer.encode(word, 2).ids()[0] == UNKNOWN)
                .collect(Collectors.joining("', '"));
        if (!unknown.isEmpty()) {
          throw new UsageException(
              "--prompt '%s': the example does not know '%s'; its few words are in export/README.md, for example '%s'"
                  .formatted(text, unknown, SCENES.subjects.get(0)));
        }
      }
    }
  }

  boolean drawsTexts() {
    return textTokens.isPresent();
  }

  /** Exports it from its folder. */
  void export(Path checkpoint, List<Router> routers, Path repository) {
    PipelineParts parts = PipelineParts.of(checkpoint);
    try (Checkpoint weights = Checkpoint.open(parts.model());
        TextSource text =
            drawsTexts()
                ? TextSource.open(
                    parts.textEncoder(0).orElseThrow(), parts.tokenizer(0).orElseThrow())
                : null) {
      Choices choices =
          drawsTexts() ? Choices.NONE.withTextTokens(textTokens.getAsInt()) : Choices.NONE;
      Model model = Model.of(weights, choices);
      Exporter exporter =
          new Exporter(model, routers, ExportOptions.of(name).withForce(true))
              .withSampling(parts.sampling(model.denoiser().io().sampling()));
      if (text != null) {
        exporter.withTexts(
            List.of(Optional.of(new Exporter.Text(text.encoder(), text.tokenizer().packed()))));
      }
      exporter.export(repository);
    }
  }
}
