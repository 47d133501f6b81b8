package io.harmonica.sampler;

import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How a model is sampled: what it was trained on, and what draws with it where nobody says
 * otherwise. For example DiT of diffusers: {@link Diffusion#DDPM}, {@code ddim}, {@code leading}.
 *
 * @param noising what the model was trained on
 * @param sampler the default, a name of {@link Sampler#NAMES}
 * @param spacing of the default sampler
 * @param origin the spacing of other samplers that have none of their own
 * @param learnsVariance whether the model predicts a variance, too
 * @param unfollowed why the model's own scheduler cannot be followed, so that a sampler must be
 *     stated; {@code sampler} and {@code spacing} mean nothing then
 */
public record Sampling(
    Noising noising,
    String sampler,
    Spacing spacing,
    Spacing origin,
    boolean learnsVariance,
    Optional<String> unfollowed) {

  /** By a sampler that is followed, with the spacing that it has by default. */
  public static Sampling of(
      Noising noising, String sampler, Spacing origin, boolean learnsVariance) {
    return new Sampling(
        noising,
        sampler,
        Sampler.spacing(sampler, origin),
        origin,
        learnsVariance,
        Optional.empty());
  }

  /**
   * As the model's scheduler says.
   *
   * @param file a diffusers {@code scheduler_config.json}
   * @throws HarmonicaException for what no sampler can make up for, as other betas
   */
  public Sampling withScheduler(Path file) {
    Scheduler says = Scheduler.read(file, this);
    return new Sampling(
        says.noising(), says.sampler(), says.spacing(), origin, learnsVariance, says.unfollowed());
  }

  /**
   * With another default sampler; its spacing stays where it is the scheduler's own.
   *
   * @throws HarmonicaException if it needs a variance, and the model learned none
   */
  public Sampling withSampler(String name) {
    boolean own = unfollowed.isEmpty() && name.equals(sampler);
    Sampling other = own ? this : of(noising, name, origin, learnsVariance);
    other.sampler(name, Sampler.fewest(name), Optional.empty()); // or refuses
    return other;
  }

  /** With another spacing of the default sampler. */
  public Sampling withSpacing(Spacing other) {
    return new Sampling(noising, sampler, other, origin, learnsVariance, unfollowed);
  }

  /**
   * {@inheritDoc}
   *
   * @throws HarmonicaException if there is none, because the scheduler's cannot be followed
   */
  @Override
  public String sampler() {
    unfollowed.ifPresent(
        why -> {
          throw new HarmonicaException(why);
        });
    return sampler;
  }

  /**
   * The cumulative signal share at each of a sampler's steps.
   *
   * @param spacing that the sampler was made with
   */
  public double[] signal(Timesteps timesteps, Spacing spacing) {
    if (noising instanceof AnyTime any) {
      return any.signal(timesteps);
    }
    if (noising instanceof Flow) {
      throw new HarmonicaException(
          "the model was trained on a flow, and Learning-to-Cache's pairs of steps are a diffusion's: use `objective` sdt");
    }
    NoiseSchedule schedule = ((Diffusion) noising).schedule(spacing);
    return IntStream.range(0, timesteps.size())
        .mapToDouble(step -> schedule.at(timesteps, step))
        .toArray();
  }

  /** The default spacing of a sampler. */
  public Spacing spacing(String name) {
    return unfollowed.isEmpty() && name.equals(sampler) ? spacing : Sampler.spacing(name, origin);
  }

  /**
   * A sampler for the model.
   *
   * @param stated spacing; else the sampler's own, or that of the model's origin
   * @throws HarmonicaException if it needs a variance, and the model learned none
   * @throws IllegalArgumentException for an unknown name, and steps or a spacing that are not its
   */
  public Sampler sampler(String name, int steps, Optional<Spacing> stated) {
    Sampler made = noising.sampler(name, steps, stated.orElseGet(() -> spacing(name)));
    if (made.needsVariance() && !learnsVariance) {
      throw new HarmonicaException(
          "sampler %s needs a learned variance, and the model has none: use another `sampler`"
              .formatted(name));
    }
    return made;
  }

  /**
   * The sampler that takes a router's timesteps, in the default spacing or else in another.
   *
   * @param name of the router, for messages
   * @throws HarmonicaException for a router that no generation could follow, whatever its options
   */
  public Sampler following(String name, String routed, Timesteps timesteps) {
    if (!Sampler.NAMES.contains(routed)) {
      throw new HarmonicaException(
          "router %s is for sampler %s, which is none of %s: make one for these"
              .formatted(name, routed, String.join(", ", Sampler.NAMES)));
    }
    return find(routed, timesteps)
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "router %s is for timesteps %s, which %s takes with no `spacing`%s: make it for those that it takes"
                        .formatted(
                            name,
                            timesteps,
                            routed,
                            noising instanceof Flow ? " for pictures of this size" : "")));
  }

  /** The sampler of this name that takes these timesteps, in whatever spacing. */
  public Optional<Sampler> find(String routed, Timesteps timesteps) {
    if (!Sampler.NAMES.contains(routed)) {
      return Optional.empty();
    }
    return Stream.concat(Stream.of(spacing(routed)), Arrays.stream(Spacing.values()))
        .flatMap(spaced -> made(routed, timesteps.size(), spaced).stream())
        .filter(sampler -> sampler.timesteps().equals(timesteps))
        .findFirst();
  }

  private Optional<Sampler> made(String routed, int steps, Spacing spaced) {
    try {
      return Optional.of(sampler(routed, steps, Optional.of(spaced)));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // not so many steps, or not this sampler
    }
  }
}
