package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Denoiser;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Manifest.Noise;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Scheduler;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How a model is sampled where a command does not say.
 *
 * @param sampler a name of {@link Sampler#NAMES}
 * @param spacing of samplers that have none of their own, by the checkpoint's layout
 * @param noise the schedule that it was trained with
 * @param variance whether the model learned one
 */
record Sampling(String sampler, Spacing spacing, Noise noise, boolean variance) {

  /**
   * As the scheduler of the model's pipeline says, where there is one, else as its origin does.
   *
   * @throws io.harmonica.HarmonicaException for a scheduler that no sampler here follows
   */
  static Sampling of(Optional<Path> scheduler, Denoiser.Interface io) {
    Spacing spacing = Spacing.of(io.spacing());
    boolean variance = io.learnsVariance();
    return scheduler
        .map(Scheduler::read)
        .map(
            says ->
                new Sampling(
                    says.sampler(),
                    spacing,
                    new Noise(says.trainTimesteps(), says.betaStart(), says.betaEnd()),
                    variance))
        .orElse(new Sampling(io.sampler(), spacing, Noise.LINEAR, variance));
  }

  /** As the export noted it. */
  static Sampling of(Manifest manifest) {
    return new Sampling(
        manifest.sampler(),
        Spacing.of(manifest.spacing()),
        manifest.noise(),
        manifest.learnsVariance());
  }

  /**
   * A sampler for the model.
   *
   * @param stated spacing; else the sampler's own, or that of the model's origin
   * @throws HarmonicaException if it needs a variance, and the model learned none
   */
  Sampler sampler(String name, int steps, Optional<Spacing> stated) {
    Sampler sampler =
        Sampler.of(
            name,
            steps,
            stated.orElseGet(() -> Sampler.spacing(name, spacing)),
            noise.trainTimesteps(),
            noise.betaStart(),
            noise.betaEnd());
    if (sampler.needsVariance() && !variance) {
      throw new HarmonicaException(
          "sampler %s needs a learned variance, and the model predicts noise only: use another --sampler"
              .formatted(name));
    }
    return sampler;
  }

  /** Refuses a router that no generation could follow, whatever its options. */
  void requireDraws(Router router) {
    if (!Sampler.NAMES.contains(router.sampler())) {
      throw new HarmonicaException(
          "router %s is for sampler %s, which is none of %s: make one for these"
              .formatted(router.name(), router.sampler(), String.join(", ", Sampler.NAMES)));
    }
    if (Arrays.stream(Spacing.values()).noneMatch(spaced -> gives(router, spaced))) {
      throw new HarmonicaException(
          "router %s is for timesteps %s, which %s takes with no --spacing: make it for those that it takes"
              .formatted(router.name(), router.timesteps(), router.sampler()));
    }
  }

  private boolean gives(Router router, Spacing spaced) {
    try {
      return timesteps(router.sampler(), router.steps(), Optional.of(spaced))
          .equals(router.timesteps());
    } catch (IllegalArgumentException e) {
      return false; // not so many steps, or not this sampler
    }
  }

  List<Integer> timesteps(String name, int steps, Optional<Spacing> stated) {
    return sampler(name, steps, stated).timesteps();
  }
}
