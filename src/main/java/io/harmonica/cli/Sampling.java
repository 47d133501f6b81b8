package io.harmonica.cli;

import io.harmonica.model.Denoiser;
import io.harmonica.repository.Manifest.Noise;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Scheduler;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How a model is sampled where a command does not say.
 *
 * @param sampler a name of {@link Sampler#NAMES}
 * @param spacing of samplers that have none of their own, by the checkpoint's layout
 * @param noise the schedule that it was trained with
 */
record Sampling(String sampler, Spacing spacing, Noise noise) {

  /**
   * As the scheduler of the model's pipeline says, where there is one, else as its origin does.
   *
   * @throws io.harmonica.HarmonicaException for a scheduler that no sampler here follows
   */
  static Sampling of(Optional<Path> scheduler, Denoiser.Interface io) {
    Spacing spacing = Spacing.of(io.spacing());
    return scheduler
        .map(Scheduler::read)
        .map(
            says ->
                new Sampling(
                    says.sampler(),
                    spacing,
                    new Noise(says.trainTimesteps(), says.betaStart(), says.betaEnd())))
        .orElse(new Sampling(io.sampler(), spacing, Noise.LINEAR));
  }

  /**
   * A sampler for the model.
   *
   * @param stated spacing; else the sampler's own, or that of the model's origin
   */
  Sampler sampler(String name, int steps, Optional<Spacing> stated) {
    return Sampler.of(
        name,
        steps,
        stated.orElseGet(() -> Sampler.spacing(name, spacing)),
        noise.trainTimesteps(),
        noise.betaStart(),
        noise.betaEnd());
  }

  List<Integer> timesteps(String name, int steps, Optional<Spacing> stated) {
    return sampler(name, steps, stated).timesteps();
  }
}
