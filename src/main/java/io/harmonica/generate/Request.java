package io.harmonica.generate;

import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What to generate. What is left empty follows from the router, or else from the model: its
 * origin's spacing and guidance.
 *
 * @param classes a label for each picture; none where there are prompts
 * @param prompts a text for each picture, for a model that takes text
 * @param router name of a router of the repository, or {@code none}
 * @param steps denoising steps; a router brings its own
 * @param sampler a name of {@link Sampler#NAMES}; empty: the router's, else the model's
 * @param eta of DDIM: 0 is deterministic, 1 as noisy as DDPM; empty: 0
 * @param guidance scale of classifier-free guidance (Ho and Salimans, arXiv 2207.12598); up to 1
 *     there is none, and a step costs half; empty: 1.5, of texts 4.5, and 1 where the model has no
 *     null class
 * @param seed of the noise; picture i starts from the noise of {@code seed + i}
 * @param latents initial noise instead of seeded
 */
public record Request(
    List<Integer> classes,
    Optional<Prompts> prompts,
    String router,
    OptionalInt steps,
    Optional<String> sampler,
    OptionalDouble eta,
    Optional<Spacing> spacing,
    OptionalDouble guidance,
    OptionalInt guidanceChannels,
    long seed,
    Optional<Latents> latents) {

  /** The router name that stands for computing everything. */
  public static final String NO_ROUTER = Names.NO_ROUTER;

  /** Steps where neither the request nor a router says. */
  public static final int DEFAULT_STEPS = Program.DEFAULT_STEPS;

  public Request {
    classes = List.copyOf(classes);
    if (classes.isEmpty() == prompts.isEmpty()) {
      throw new IllegalArgumentException(
          classes.isEmpty()
              ? "--classes is empty, expected a label for each picture"
              : "--classes and --text-embeddings exclude each other: a model takes labels or texts");
    }
    double scale = guidance.orElse(1);
    if (!Double.isFinite(scale) || scale < 0) {
      throw new IllegalArgumentException("--guidance %s must be a number from 0".formatted(scale));
    }
    int pictures = prompts.map(texts -> texts.positive().count()).orElse(classes.size());
    if (latents.isPresent() && latents.get().count() != pictures) {
      throw new IllegalArgumentException(
          "--latents has %d rows for %d %s, expected as many"
              .formatted(
                  latents.get().count(), pictures, prompts.isPresent() ? "texts" : "--classes"));
    }
  }

  /** How many pictures it asks for. */
  public int count() {
    return prompts.map(texts -> texts.positive().count()).orElse(classes.size());
  }

  /** 20 steps of the model's sampler without a router, its guidance, seed 0. */
  public static Request of(List<Integer> classes) {
    return new Parts(classes, Optional.empty()).request();
  }

  /** 20 steps of the model's sampler without a router, its guidance, seed 0. */
  public static Request of(Prompts prompts) {
    return new Parts(List.of(), Optional.of(prompts)).request();
  }

  public Request withClasses(List<Integer> labels) {
    return with(parts -> parts.classes = labels);
  }

  /** For a model that takes text, instead of classes. */
  public Request withPrompts(Prompts texts) {
    return with(
        parts -> {
          parts.classes = List.of();
          parts.prompts = Optional.of(texts);
        });
  }

  public Request withRouter(String name) {
    return with(parts -> parts.router = name);
  }

  public Request withSteps(int count) {
    return with(parts -> parts.steps = OptionalInt.of(count));
  }

  public Request withSampler(String name) {
    return with(parts -> parts.sampler = Optional.of(name));
  }

  public Request withEta(double value) {
    return with(parts -> parts.eta = OptionalDouble.of(value));
  }

  public Request withSpacing(Spacing other) {
    return with(parts -> parts.spacing = Optional.of(other));
  }

  public Request withGuidance(double scale) {
    return with(parts -> parts.guidance = OptionalDouble.of(scale));
  }

  public Request withGuidanceChannels(int channels) {
    return with(parts -> parts.guidanceChannels = OptionalInt.of(channels));
  }

  public Request withSeed(long other) {
    return with(parts -> parts.seed = other);
  }

  public Request withLatents(Latents initial) {
    return with(parts -> parts.latents = Optional.of(initial));
  }

  private Request with(Consumer<Parts> change) {
    Parts parts = new Parts(classes, prompts);
    parts.guidance = guidance;
    parts.router = router;
    parts.steps = steps;
    parts.sampler = sampler;
    parts.eta = eta;
    parts.spacing = spacing;
    parts.guidanceChannels = guidanceChannels;
    parts.seed = seed;
    parts.latents = latents;
    change.accept(parts);
    return parts.request();
  }

  /** A request in the making: the defaults, and what changes by name instead of by position. */
  private static final class Parts {
    private List<Integer> classes;
    private Optional<Prompts> prompts;
    private String router = NO_ROUTER;
    private OptionalInt steps = OptionalInt.empty();
    private Optional<String> sampler = Optional.empty();
    private OptionalDouble eta = OptionalDouble.empty();
    private Optional<Spacing> spacing = Optional.empty();
    private OptionalDouble guidance = OptionalDouble.empty();
    private OptionalInt guidanceChannels = OptionalInt.empty();
    private long seed;
    private Optional<Latents> latents = Optional.empty();

    Parts(List<Integer> classes, Optional<Prompts> prompts) {
      this.classes = classes;
      this.prompts = prompts;
    }

    Request request() {
      return new Request(
          classes,
          prompts,
          router,
          steps,
          sampler,
          eta,
          spacing,
          guidance,
          guidanceChannels,
          seed,
          latents);
    }
  }
}
