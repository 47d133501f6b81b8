package io.harmonica.deploy;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.router.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Names the engines that a route runs, from those that a model's uncached step runs.
 *
 * <p>For example: of the uncached step's {@code [dit-embed, dit-block00-cc, dit-block01-cc,
 * dit-head]}, a route that reuses the last output of {@code block01.mlp} and computes the rest runs
 * {@code [dit-embed, dit-block00-cc, dit-block01-c1, dit-head]}.
 *
 * @param engines of the uncached step by their roles, in order
 */
record Variants(String model, List<Role> engines) {

  /**
   * Of a base ensemble.
   *
   * @param configs of the engines, by name
   */
  static Variants of(ModelConfig base, Manifest manifest, Function<String, ModelConfig> configs) {
    List<Role> engines =
        base.getEnsembleScheduling().getStepList().stream()
            .map(ModelEnsembling.Step::getModelName)
            .map(engine -> role(manifest.model(), configs.apply(engine)))
            .toList();
    int covered = engines.stream().mapToInt(engine -> engine.variant().length()).sum();
    if (covered != manifest.branches().size()) {
      throw new HarmonicaException(
          "model %s has engines for %d branches, expected %d: export it again"
              .formatted(manifest.model(), covered, manifest.branches().size()));
    }
    return new Variants(manifest.model(), engines);
  }

  private static Role role(String model, ModelConfig engine) {
    return Role.of(engine)
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "model %s runs '%s', whose configuration does not say what it is there for: export it again"
                        .formatted(model, engine.getName())));
  }

  /** The engines of a route, in order. */
  List<String> of(Route route) {
    List<String> names = new ArrayList<>();
    int branch = 0;
    for (Role engine : engines) {
      StringBuilder variant = new StringBuilder();
      while (variant.length() < engine.variant().length()) {
        variant.append(route.variant(branch++));
      }
      names.add(Names.engine(model, engine.withVariant(variant.toString())));
    }
    return names;
  }
}
