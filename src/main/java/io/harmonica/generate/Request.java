package io.harmonica.generate;

import io.harmonica.InvalidProperty;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.sampler.SkipLayerGuidance;
import io.harmonica.sampler.Spacing;
import java.util.List;
import java.util.Optional;

/**
 * What to generate: what the pictures show, how they are drawn, and the noise that they start from.
 *
 * <pre>{@code
 * Request request = Request.of(List.of(3, 4)).withRouter("taylor-2").withSeed(7);
 * Request text = Request.of(pipeline.prompts(List.of("a lighthouse"), "", System.err::println));
 * }</pre>
 *
 * <p>Immutable, but for the arrays of {@link Latents} and {@link Embeddings}; for many threads.
 * Each {@code with} gives another request. A new property is one more {@code with}, so callers need
 * not change.
 */
public final class Request {

  /** The router name that stands for computing everything. */
  public static final String NO_ROUTER = Names.NO_ROUTER;

  /** Steps where neither the request nor a router says. */
  public static final int DEFAULT_STEPS = Program.DEFAULT_STEPS;

  private final Content content;
  private final Style style;
  private final long seed;
  private final Optional<Latents> latents;

  private Request(Content content, Style style, long seed, Optional<Latents> latents) {
    if (latents.isPresent() && latents.get().count() != content.count()) {
      throw new InvalidProperty(
          "latents",
          "has %d rows for %d %s, expected as many"
              .formatted(
                  latents.get().count(),
                  content.count(),
                  content instanceof Content.Labels
                      ? "`classes`"
                      : content instanceof Content.Anything ? "`pictures`" : "texts"));
    }
    this.content = content;
    this.style = style;
    this.seed = seed;
    this.latents = latents;
  }

  /** A picture of each of these classes: 20 steps of the model's sampler, its guidance, seed 0. */
  public static Request of(List<Integer> classes) {
    return of(Content.of(classes));
  }

  /** 20 steps of the model's sampler without a router, its guidance, seed 0. */
  public static Request of(Content content) {
    return new Request(content, Style.DEFAULT, 0, Optional.empty());
  }

  /** What the pictures show. */
  public Content content() {
    return content;
  }

  /** How they are drawn. */
  public Style style() {
    return style;
  }

  /** Of the noise; picture i starts from the noise of {@code seed + i}. */
  public long seed() {
    return seed;
  }

  /** The noise to start from, instead of seeded. */
  public Optional<Latents> latents() {
    return latents;
  }

  /** How many pictures it asks for. */
  public int count() {
    return content.count();
  }

  /** Of other pictures, drawn the same way; guidance that was not stated is still the model's. */
  public Request withContent(Content other) {
    return new Request(other, style, seed, latents);
  }

  /** Of the same pictures, drawn another way. */
  public Request withStyle(Style other) {
    return new Request(content, other, seed, latents);
  }

  /** From the noise of another seed; picture i starts from that of {@code other + i}. */
  public Request withSeed(long other) {
    return new Request(content, style, other, latents);
  }

  /**
   * From noise of one's own instead of a seed's. Its array is not copied: leave it as it is while
   * the request is in use.
   *
   * @param initial [pictures, C, H, W]
   */
  public Request withLatents(Latents initial) {
    return new Request(content, style, seed, Optional.of(initial));
  }

  /** Short for {@link Style#withRouter}. */
  public Request withRouter(String name) {
    return withStyle(style.withRouter(name));
  }

  /** Short for {@link Style#withTier}. */
  public Request withTier(String name) {
    return withStyle(style.withTier(name));
  }

  /** Short for {@link Style#withSteps}. */
  public Request withSteps(int count) {
    return withStyle(style.withSteps(count));
  }

  /** Short for {@link Style#withSampler}. */
  public Request withSampler(String name) {
    return withStyle(style.withSampler(name));
  }

  /** Short for {@link Style#withSpacing}. */
  public Request withSpacing(Spacing other) {
    return withStyle(style.withSpacing(other));
  }

  /** Short for {@link Style#withEta}. */
  public Request withEta(double value) {
    return withStyle(style.withEta(value));
  }

  /** Short for {@link Style#withGuidance}. */
  public Request withGuidance(double scale) {
    return withStyle(style.withGuidance(scale));
  }

  /** Short for {@link Style#withTrueCfg}. */
  public Request withTrueCfg(double scale) {
    return withStyle(style.withTrueCfg(scale));
  }

  /** Short for {@link Style#withSkipLayerGuidance}. */
  public Request withSkipLayerGuidance(SkipLayerGuidance guidance) {
    return withStyle(style.withSkipLayerGuidance(guidance));
  }

  /** Short for {@link Style#withGuidanceChannels}. */
  public Request withGuidanceChannels(int channels) {
    return withStyle(style.withGuidanceChannels(channels));
  }
}
