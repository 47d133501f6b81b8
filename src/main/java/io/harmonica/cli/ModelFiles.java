package io.harmonica.cli;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Model;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/** Models from files on disk. */
final class ModelFiles implements Models {
  @Override
  public ModelCard checkpoint(Path path, OptionalInt heads) {
    try (Checkpoint checkpoint = Checkpoint.open(CheckpointParts.of(path).model())) {
      return card(Model.of(checkpoint, heads));
    }
  }

  @Override
  public ModelCard architecture(String preset) {
    return card(Model.named(preset));
  }

  @Override
  public List<Integer> timesteps(String sampler, int steps, Spacing spacing) {
    Manifest.Noise noise = Manifest.Noise.LINEAR;
    return Sampler.of(
            sampler, steps, spacing, noise.trainTimesteps(), noise.betaStart(), noise.betaEnd())
        .timesteps();
  }

  @Override
  public Exported exported(Path repository, String model) {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository)) {
      Manifest manifest = Manifest.of(runtime.config(model));
      ModelCard card =
          new ModelCard(
              manifest.architecture(),
              manifest.branches(),
              manifest.flops(),
              manifest.branchBytes(),
              manifest.sampler(),
              manifest.spacing());
      List<Router> routers =
          manifest.routers().entrySet().stream()
              .map(entry -> Router.parse(entry.getValue().toString(), entry.getKey()))
              .toList();
      return new Exported(card, routers);
    }
  }

  private static ModelCard card(Model model) {
    return new ModelCard(
        model.denoiser().architecture(),
        model.denoiser().branches().stream().map(Branch::name).toList(),
        model.flops(),
        model.denoiser().branchElements() * Float.BYTES,
        model.denoiser().io().sampler(),
        model.denoiser().io().spacing());
  }
}
