package io.harmonica.deploy;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.router.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The engines of a model's uncached step, and what they are called in other variants: the last part
 * of {@code dit-block03-cc} becomes what a route does with the branches that it stands for.
 */
record Variants(Manifest manifest, List<String> engines) {
  private static final Pattern COMPUTED = Pattern.compile("(.+-)(c+)");

  static Variants of(ModelConfig base, Manifest manifest) {
    List<String> engines =
        base.getEnsembleScheduling().getStepList().stream()
            .map(ModelEnsembling.Step::getModelName)
            .toList();
    Variants variants = new Variants(manifest, engines);
    int covered = engines.stream().mapToInt(variants::branches).sum();
    if (covered != manifest.branches().size()) {
      throw new HarmonicaException(
          "model %s has engines for %d branches, expected %d: export it again"
              .formatted(manifest.model(), covered, manifest.branches().size()));
    }
    return variants;
  }

  /** How many branches an engine stands for: none for embedding and head. */
  private int branches(String engine) {
    Matcher computed = computed(engine);
    return computed == null ? 0 : computed.group(2).length();
  }

  private Matcher computed(String engine) {
    Matcher matcher = COMPUTED.matcher(engine);
    return matcher.matches() ? matcher : null;
  }

  /** The engines of a route, in order. */
  List<String> of(Route route) {
    List<String> names = new ArrayList<>();
    int branch = 0;
    for (String engine : engines) {
      Matcher computed = computed(engine);
      if (computed == null) {
        names.add(engine);
        continue;
      }
      StringBuilder name = new StringBuilder(computed.group(1));
      for (int i = 0; i < computed.group(2).length(); i++) {
        name.append(route.variant(branch++));
      }
      names.add(name.toString());
    }
    return names;
  }
}
