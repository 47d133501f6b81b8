package io.harmonica.cli;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Router;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/** Models from files on disk. */
final class ModelFiles implements Models {
  @Override
  public ModelCard checkpoint(Path path, OptionalInt heads) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return card(Model.of(checkpoint, heads));
    }
  }

  @Override
  public ModelCard architecture(String preset) {
    return card(Model.named(preset));
  }

  @Override
  public List<Integer> timesteps(String sampler, int steps, String spacing) {
    return Spacing.of(spacing).timesteps(steps, Manifest.Noise.LINEAR.trainTimesteps());
  }

  @Override
  public Exported exported(Path repository, String model) {
    Manifest manifest = Manifest.of(ConfigFile.read(repository.resolve(model)));
    List<Router> routers =
        manifest.routers().entrySet().stream()
            .map(
                e ->
                    Router.parse(
                        e.getValue().toString(),
                        "router %s of model %s".formatted(e.getKey(), model)))
            .toList();
    return new Exported(
        new ModelCard(
            manifest.architecture(),
            manifest.branches(),
            manifest.flops(),
            manifest.branchBytes(),
            manifest.spacing()),
        routers);
  }

  private static ModelCard card(Model model) {
    return new ModelCard(
        model.denoiser().architecture(),
        model.denoiser().branches().stream().map(Branch::name).toList(),
        model.flops(),
        model.denoiser().branchElements() * Float.BYTES,
        model.denoiser().io().spacing());
  }
}
