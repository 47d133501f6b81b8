package io.harmonica.cli;

import io.harmonica.compare.Comparison;
import io.harmonica.compare.Rounds;
import io.harmonica.compare.Subjects;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.TensorFiles;
import io.harmonica.model.Shows;
import io.harmonica.picture.Latents;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * What the pictures of {@code compare} show, as its options say: classes, texts, or nothing, as the
 * model takes it.
 */
record SubjectOptions(Arguments arguments, Comparison comparison, Console console) {
  /** Pictures of a request where no option names any. */
  static final int PICTURES = 4;

  private static final List<String> TEXTS = List.of("prompt", "prompts", "text-embeddings");

  /** A comparison of so many rounds. */
  Comparison.Plan plan(Rounds rounds) {
    boolean loaded = arguments.has("concurrency") || arguments.has("rate");
    int requests = arguments.integer("requests", 1, 1_000_000).orElse(loaded ? 10 : 1);
    Optional<Latents> starts = arguments.path("latents").map(TensorFiles::latents);
    starts.ifPresent(comparison::requireStarts);
    Drawn drawn =
        comparison.shows() instanceof Shows.Text
            ? texts()
            : comparison.shows() instanceof Shows.Classes ? classes(starts) : anything(starts);
    return new Comparison.Plan(
        rounds,
        new Subjects(
            drawn.indices, drawn.contents, starts, drawn.pictures * requests, rounds.seed()),
        drawn.pictures);
  }

  /**
   * What is drawn over and over.
   *
   * @param indices classes, or of the contents
   * @param pictures of a request
   */
  private record Drawn(
      List<Integer> indices, Optional<Function<Pipeline, Content>> contents, int pictures) {
    static Drawn of(Function<Pipeline, Content> contents, int pictures) {
      return new Drawn(
          IntStream.range(0, pictures).boxed().toList(), Optional.of(contents), pictures);
    }
  }

  private Drawn classes(Optional<Latents> starts) {
    refuseTexts("on models that take classes");
    arguments.refuse("pictures", "on models that take classes");
    List<Integer> classes =
        arguments
            .integers("classes", 0, Integer.MAX_VALUE)
            .orElseGet(() -> IntStream.range(0, comparison.classes()).boxed().toList());
    int pictures = arguments.has("classes") ? classes.size() : PICTURES;
    if (starts.isPresent() && classes.size() == 1) { // one serves for every row, as in generate
      classes = Collections.nCopies(starts.get().count(), classes.get(0));
      pictures = classes.size();
    }
    return new Drawn(classes, Optional.empty(), pictures);
  }

  /** Of models that are told nothing of a picture. */
  private Drawn anything(Optional<Latents> starts) {
    refuseTexts("on models that take neither classes nor texts");
    arguments.refuse("classes", "on models that take neither classes nor texts");
    int pictures =
        starts
            .map(Latents::count)
            .or(() -> arguments.integer("pictures", 1, 1 << 16))
            .orElse(PICTURES);
    return Drawn.of(pipeline -> Content.anything(pictures), pictures);
  }

  private Drawn texts() {
    arguments.refuse("classes", "on models that take texts");
    arguments.refuse("pictures", "on models that take texts");
    arguments.requireOneOf(TEXTS.toArray(String[]::new));
    Optional<Content.Texts> embedded = arguments.path("text-embeddings").map(TensorFiles::prompts);
    List<String> texts =
        embedded.isPresent() ? List.of() : TextLines.of(arguments, "prompt", "prompts");
    // A large encoder runs once, however often its texts are asked for.
    Map<Pipeline, Content> known = new HashMap<>();
    return Drawn.of(
        pipeline ->
            embedded.isPresent()
                ? embedded.get()
                : known.computeIfAbsent(
                    pipeline, p -> RequestOptions.prompts(arguments, texts, p, console)),
        embedded.map(some -> some.positive().count()).orElse(texts.size()));
  }

  private void refuseTexts(String where) {
    TEXTS.forEach(option -> arguments.refuse(option, where));
    PromptOptions.refuseAll(arguments, where);
  }
}
