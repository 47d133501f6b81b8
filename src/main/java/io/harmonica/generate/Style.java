package io.harmonica.generate;

import io.harmonica.InvalidProperty;
import io.harmonica.router.Tiers;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.SkipLayerGuidance;
import io.harmonica.sampler.Spacing;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How pictures are drawn, whatever they show: router, sampler and guidance. What is left empty
 * follows from the router, or else from the model.
 *
 * <pre>{@code
 * Style fast = Style.DEFAULT.withRouter("taylor-2").withGuidance(4);
 * Result result = pipeline.generate(Request.of(List.of(3, 4)).withStyle(fast));
 * }</pre>
 *
 * <p>Immutable, for many threads; two of the same values are equal. Each {@code with} gives another
 * style. A new property is one more {@code with}, so callers need not change.
 */
public final class Style {

  /** 20 steps of the model's sampler, computing everything, its guidance. */
  public static final Style DEFAULT =
      new Style(
          Request.NO_ROUTER,
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalInt.empty(),
          OptionalDouble.empty(),
          Optional.empty());

  private final String router;
  private final OptionalInt steps;
  private final Optional<String> sampler;
  private final Optional<Spacing> spacing;
  private final OptionalDouble eta;
  private final OptionalDouble guidance;
  private final OptionalInt channels;
  private final OptionalDouble trueCfg;
  private final Optional<SkipLayerGuidance> skipping;

  private Style(
      String router,
      OptionalInt steps,
      Optional<String> sampler,
      Optional<Spacing> spacing,
      OptionalDouble eta,
      OptionalDouble guidance,
      OptionalInt channels,
      OptionalDouble trueCfg,
      Optional<SkipLayerGuidance> skipping) {
    this.router = router;
    this.steps = steps;
    this.sampler = sampler;
    this.spacing = spacing;
    this.eta = eta;
    this.guidance = guidance;
    this.channels = channels;
    this.trueCfg = trueCfg;
    this.skipping = skipping;
  }

  /**
   * The name of a router of the repository, {@link Request#NO_ROUTER}, or {@code tier:} and a tier.
   */
  public String router() {
    return router;
  }

  /** Denoising steps; empty: the router's, else {@link Request#DEFAULT_STEPS}. */
  public OptionalInt steps() {
    return steps;
  }

  /** A name of {@link Sampler#NAMES}; empty: the router's, else the model's. */
  public Optional<String> sampler() {
    return sampler;
  }

  /** How timesteps are spaced; empty: as the model's scheduler or origin does. */
  public Optional<Spacing> spacing() {
    return spacing;
  }

  /** Noise of DDIM: 0 is deterministic, 1 as noisy as DDPM; empty: 0. */
  public OptionalDouble eta() {
    return eta;
  }

  /**
   * The scale of classifier-free guidance (Ho and Salimans, arXiv 2207.12598); up to 1 there is
   * none, and a step costs half. Empty: the model's, mostly 1.5 and of texts 4.5, and 1 where it
   * has nothing to lead away from.
   */
  public OptionalDouble guidance() {
    return guidance;
  }

  /** How many channels guidance acts on, from the first; empty: as the model's origin does. */
  public OptionalInt guidanceChannels() {
    return channels;
  }

  /**
   * The scale of classifier-free guidance of a model that is told the scale of its own, as FLUX.1
   * dev: a second row leads away from the negative text. Up to 1, or empty: there is none.
   */
  public OptionalDouble trueCfg() {
    return trueCfg;
  }

  /** What also leads away from predictions without some blocks, of Stable Diffusion 3; or not. */
  public Optional<SkipLayerGuidance> skipLayerGuidance() {
    return skipping;
  }

  /** With the router of this name, {@link Request#NO_ROUTER}, or {@code tier:} and a tier. */
  public Style withRouter(String name) {
    return new Style(name, steps, sampler, spacing, eta, guidance, channels, trueCfg, skipping);
  }

  /**
   * With the router of this tier: {@code fast}, {@code balanced}, {@code quality}, or another that
   * the model has. Where several routers are of it, the steps say which.
   */
  public Style withTier(String name) {
    return withRouter(Tiers.reference(name));
  }

  /** With so many denoising steps, 1..1000; a router takes none but its own. */
  public Style withSteps(int count) {
    return new Style(
        router,
        OptionalInt.of(count),
        sampler,
        spacing,
        eta,
        guidance,
        channels,
        trueCfg,
        skipping);
  }

  /** With a sampler by its name; a router takes none but its own. */
  public Style withSampler(String name) {
    return new Style(
        router, steps, Optional.of(name), spacing, eta, guidance, channels, trueCfg, skipping);
  }

  /** With timesteps spaced so. */
  public Style withSpacing(Spacing other) {
    return new Style(
        router, steps, sampler, Optional.of(other), eta, guidance, channels, trueCfg, skipping);
  }

  /** With DDIM's noise, 0..1. */
  public Style withEta(double value) {
    OptionalDouble other = OptionalDouble.of(value);
    return new Style(router, steps, sampler, spacing, other, guidance, channels, trueCfg, skipping);
  }

  /**
   * With guidance of this scale.
   *
   * @throws IllegalArgumentException below 0, or not finite
   */
  public Style withGuidance(double scale) {
    OptionalDouble other = scale("guidance", scale);
    return new Style(router, steps, sampler, spacing, eta, other, channels, trueCfg, skipping);
  }

  /** With guidance of so many channels, from the first. */
  public Style withGuidanceChannels(int count) {
    return new Style(
        router, steps, sampler, spacing, eta, guidance, OptionalInt.of(count), trueCfg, skipping);
  }

  /**
   * With classifier-free guidance of this scale beside the one that the model is told.
   *
   * @throws IllegalArgumentException below 0, or not finite
   */
  public Style withTrueCfg(double scale) {
    OptionalDouble other = scale("trueCfg", scale);
    return new Style(router, steps, sampler, spacing, eta, guidance, channels, other, skipping);
  }

  /** With skip-layer guidance, of a model that was exported with the blocks to skip. */
  public Style withSkipLayerGuidance(SkipLayerGuidance other) {
    return new Style(
        router, steps, sampler, spacing, eta, guidance, channels, trueCfg, Optional.of(other));
  }

  private static OptionalDouble scale(String property, double scale) {
    if (!Double.isFinite(scale) || scale < 0) {
      throw new InvalidProperty(property, "%s must be a number from 0".formatted(scale));
    }
    return OptionalDouble.of(scale);
  }

  private List<Object> values() {
    return List.of(router, steps, sampler, spacing, eta, guidance, channels, trueCfg, skipping);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Style style && values().equals(style.values());
  }

  @Override
  public int hashCode() {
    return values().hashCode();
  }

  @Override
  public String toString() {
    return "Style" + values();
  }
}
