package io.harmonica.generate;

import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What to generate. What is left empty follows from the router, or else from the model: its
 * origin's spacing and guidance.
 *
 * @param classes a label for each picture
 * @param router name of a router of the repository, or {@code none}
 * @param steps denoising steps; a router brings its own
 * @param sampler a name of {@link Sampler#NAMES}; empty: the router's, else {@value
 *     Sampler#DEFAULT}
 * @param eta of DDIM: 0 is deterministic, 1 as noisy as DDPM; empty: 0
 * @param guidance scale of classifier-free guidance (Ho and Salimans, arXiv 2207.12598); up to 1
 *     there is none, and a step costs half
 * @param seed of the noise; picture i starts from the noise of {@code seed + i}
 * @param latents initial noise instead of seeded
 */
public record Request(
    List<Integer> classes,
    String router,
    OptionalInt steps,
    Optional<String> sampler,
    OptionalDouble eta,
    Optional<Spacing> spacing,
    double guidance,
    OptionalInt guidanceChannels,
    long seed,
    Optional<Latents> latents) {

  /** The router name that stands for computing everything. */
  public static final String NO_ROUTER = "none";

  /** Steps where neither the request nor a router says. */
  public static final int DEFAULT_STEPS = 20;

  public Request {
    classes = List.copyOf(classes);
    if (classes.isEmpty()) {
      throw new IllegalArgumentException("--classes is empty, expected a label for each picture");
    }
    if (!Double.isFinite(guidance) || guidance < 0) {
      throw new IllegalArgumentException(
          "--guidance %s must be a number from 0".formatted(guidance));
    }
    if (latents.isPresent() && latents.get().count() != classes.size()) {
      throw new IllegalArgumentException(
          "--latents has %d rows for %d --classes, expected as many"
              .formatted(latents.get().count(), classes.size()));
    }
  }

  /** 20 DDIM steps without a router, guidance 1.5, seed 0. */
  public static Request of(List<Integer> classes) {
    return new Request(
        classes,
        NO_ROUTER,
        OptionalInt.empty(),
        Optional.empty(),
        OptionalDouble.empty(),
        Optional.empty(),
        1.5,
        OptionalInt.empty(),
        0,
        Optional.empty());
  }

  public Request withRouter(String name) {
    return new Request(
        classes, name, steps, sampler, eta, spacing, guidance, guidanceChannels, seed, latents);
  }

  public Request withSteps(int count) {
    return new Request(
        classes,
        router,
        OptionalInt.of(count),
        sampler,
        eta,
        spacing,
        guidance,
        guidanceChannels,
        seed,
        latents);
  }

  public Request withSampler(String name) {
    return new Request(
        classes,
        router,
        steps,
        Optional.of(name),
        eta,
        spacing,
        guidance,
        guidanceChannels,
        seed,
        latents);
  }

  public Request withEta(double value) {
    return new Request(
        classes,
        router,
        steps,
        sampler,
        OptionalDouble.of(value),
        spacing,
        guidance,
        guidanceChannels,
        seed,
        latents);
  }

  public Request withSpacing(Spacing other) {
    return new Request(
        classes,
        router,
        steps,
        sampler,
        eta,
        Optional.of(other),
        guidance,
        guidanceChannels,
        seed,
        latents);
  }

  public Request withGuidance(double scale) {
    return new Request(
        classes, router, steps, sampler, eta, spacing, scale, guidanceChannels, seed, latents);
  }

  public Request withGuidanceChannels(int channels) {
    return new Request(
        classes,
        router,
        steps,
        sampler,
        eta,
        spacing,
        guidance,
        OptionalInt.of(channels),
        seed,
        latents);
  }

  public Request withSeed(long other) {
    return new Request(
        classes, router, steps, sampler, eta, spacing, guidance, guidanceChannels, other, latents);
  }

  public Request withLatents(Latents initial) {
    return new Request(
        classes,
        router,
        steps,
        sampler,
        eta,
        spacing,
        guidance,
        guidanceChannels,
        seed,
        Optional.of(initial));
  }
}
