package io.harmonica.cli;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Pruned;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.sampler.Sampling;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Models from files on disk. */
final class ModelFiles implements Models {
  @Override
  public ModelCard checkpoint(Path path, Choices choices) {
    PipelineParts parts = PipelineParts.of(path);
    try (Checkpoint checkpoint = Checkpoint.open(parts.model())) {
      Model model = Model.of(checkpoint, parts.choices(choices));
      return card(model, parts.sampling(model.denoiser().io().sampling()));
    }
  }

  @Override
  public ModelCard architecture(String preset) {
    Model model = Model.named(preset);
    return card(model, model.denoiser().io().sampling());
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
              manifest.cacheBytes(),
              manifest.sampling(),
              Optional.ofNullable(manifest.pruned()));
      List<Router> routers =
          manifest.routers().entrySet().stream()
              .map(entry -> Router.parse(entry.getValue().toString(), entry.getKey()))
              .toList();
      return new Exported(card, routers);
    }
  }

  private static ModelCard card(Model model, Sampling sampling) {
    return new ModelCard(
        model.denoiser().architecture(),
        model.denoiser().branchNames(),
        model.flops(),
        CacheBytes.of(model.denoiser()),
        sampling,
        Pruned.of(model.denoiser()));
  }
}
