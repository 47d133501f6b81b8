package io.harmonica.deploy;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Cut;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import java.util.List;
import java.util.function.Function;

/** Reads how a model is cut into engines off its uncached step, as a running server has it. */
final class UncachedStep {
  private UncachedStep() {}

  /**
   * Of a base ensemble.
   *
   * @param configs of the engines, by name
   */
  static Cut of(ModelConfig base, Manifest manifest, Function<String, ModelConfig> configs) {
    List<Role> pieces =
        base.getEnsembleScheduling().getStepList().stream()
            .map(ModelEnsembling.Step::getModelName)
            .map(engine -> role(manifest.model(), configs.apply(engine)))
            .toList();
    try {
      return new Cut(pieces, manifest.branches());
    } catch (IllegalArgumentException e) {
      throw new HarmonicaException(
          "model %s has %s: export it again".formatted(manifest.model(), e.getMessage()), e);
    }
  }

  private static Role role(String model, ModelConfig engine) {
    return Role.of(engine)
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "model %s runs '%s', whose configuration does not say what it is there for: export it again"
                        .formatted(model, engine.getName())));
  }
}
