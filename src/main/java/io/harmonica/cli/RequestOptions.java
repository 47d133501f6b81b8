package io.harmonica.cli;

import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.TensorFiles;
import io.harmonica.picture.Latents;
import io.harmonica.router.Tiers;
import io.harmonica.sampler.SkipLayerGuidance;
import io.harmonica.sampler.Spacing;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The request that options of {@code generate} state: what to draw, how, and from which noise. */
final class RequestOptions {
  private RequestOptions() {}

  /** The scale of guidance, where stated. */
  static Optional<Double> guidance(Arguments arguments) {
    return arguments.decimal("guidance", 0, 1000);
  }

  /** What to draw; one label or text serves for every row of latents. */
  private static Request subjects(
      Arguments arguments, Optional<Integer> rows, Pipeline pipeline, Console console) {
    if (arguments.has("pictures")) {
      int pictures = arguments.requiredInteger("pictures", 1, 1 << 16);
      return Request.of(Content.anything(pictures == 1 ? rows.orElse(1) : pictures));
    }
    if (!arguments.has("classes")) {
      Content prompts = prompts(arguments, pipeline, console);
      boolean shared = rows.isPresent() && prompts.count() == 1;
      return Request.of(shared ? prompts.select(Collections.nCopies(rows.get(), 0)) : prompts);
    }
    List<Integer> classes = arguments.integers("classes", 0, Integer.MAX_VALUE).orElseThrow();
    boolean shared = rows.isPresent() && classes.size() == 1;
    return Request.of(shared ? Collections.nCopies(rows.get(), classes.get(0)) : classes);
  }

  private static Content prompts(Arguments arguments, Pipeline pipeline, Console console) {
    if (arguments.has("text-embeddings")) {
      return TensorFiles.prompts(arguments.requiredPath("text-embeddings"));
    }
    List<String> texts = TextLines.of(arguments, "prompt", "prompts");
    return prompts(arguments, texts, pipeline, console);
  }

  /** Texts of prompts and of what guidance leads away from; what is cut is told. */
  static Content prompts(
      Arguments arguments, List<String> texts, Pipeline pipeline, Console console) {
    return pipeline.texts(
        PromptOptions.prompts(arguments, texts),
        PromptOptions.negative(arguments),
        warning -> console.err().println("warning: " + warning));
  }

  /** A scale, or one with the range of steps. */
  private static SkipLayerGuidance skipLayerGuidance(Arguments arguments) {
    String text = arguments.requiredText("skip-layer-guidance");
    List<Double> numbers;
    try {
      numbers = Stream.of(text.split(",", -1)).map(Double::valueOf).toList();
    } catch (NumberFormatException e) {
      numbers = List.of(); // told below
    }
    if (numbers.size() != 1 && numbers.size() != 3) {
      throw new UsageException(
          "--skip-layer-guidance '%s' must be a number, or three: scale, start, stop, as 2.8,0.01,0.2"
              .formatted(text));
    }
    return numbers.size() == 1
        ? SkipLayerGuidance.of(numbers.get(0))
        : new SkipLayerGuidance(numbers.get(0), numbers.get(1), numbers.get(2));
  }

  /** What is asked for, checked against the model as far as options without effect go. */
  static Request request(Arguments arguments, Pipeline pipeline, Console console) {
    Optional<Latents> latents = arguments.path("latents").map(TensorFiles::latents);
    Request request =
        subjects(arguments, latents.map(Latents::count), pipeline, console)
            .withRouter(
                arguments
                    .text("tier")
                    .map(Tiers::reference)
                    .orElseGet(() -> arguments.text("router").orElse(Request.NO_ROUTER)))
            .withSeed(arguments.wholeNumber("seed").orElse(0L));
    if (guidance(arguments).isPresent()) {
      request = request.withGuidance(guidance(arguments).get());
    }
    if (arguments.has("true-cfg")) {
      request = request.withTrueCfg(arguments.decimal("true-cfg", 0, 1000).orElseThrow());
    }
    if (arguments.has("skip-layer-guidance")) {
      request = request.withSkipLayerGuidance(skipLayerGuidance(arguments));
    }
    if (latents.isPresent()) {
      request = request.withLatents(latents.get());
    }
    if (arguments.has("steps")) {
      request = request.withSteps(arguments.requiredInteger("steps", 1, 1000));
    }
    if (arguments.has("sampler")) {
      request = request.withSampler(arguments.requiredText("sampler"));
    }
    if (arguments.has("eta")) {
      request = request.withEta(arguments.decimal("eta", 0, 1).orElseThrow());
    }
    if (arguments.has("spacing")) {
      request = request.withSpacing(Spacing.of(arguments.requiredText("spacing")));
    }
    if (arguments.has("guidance-channels")) {
      boolean all = arguments.requiredText("guidance-channels").equals("all");
      request =
          request.withGuidanceChannels(
              all
                  ? pipeline.manifest().channels()
                  : arguments.requiredInteger("guidance-channels", 1, 1 << 16));
    }
    if (pipeline.guidanceScale(request.style()) <= 1) {
      arguments.refuse("guidance-channels", "without guidance");
    }
    if (pipeline.rows(request.style()) == 1) {
      PromptOptions.refuseNegative(arguments, "where no guidance leads away from it");
    }
    if (latents.isPresent() && arguments.has("seed") && !pipeline.addsNoise(request.style())) {
      arguments.refuse("seed", "with --latents and a sampler that adds no noise");
    }
    return request;
  }
}
