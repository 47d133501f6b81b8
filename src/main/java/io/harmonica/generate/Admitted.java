package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Program;
import io.harmonica.router.Router;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.SkipLayerGuidance;
import java.util.Optional;

/**
 * A request that fits its model, resolved: how every one of its trajectories runs.
 *
 * @param router empty where every branch is computed
 * @param skipping what also leads away from predictions without some blocks
 * @param wholeTimesteps whether the model takes timesteps as int64, else as fp32
 */
record Admitted(
    Manifest manifest,
    Optional<Router> router,
    Program program,
    Sampler sampler,
    Guidance guidance,
    Optional<SkipLayerGuidance> skipping,
    boolean wholeTimesteps) {

  /** Rows of a request for so many pictures: guidance takes two for each. */
  int rows(int pictures) {
    return guidance.rows() * pictures;
  }

  /** Whether a step also takes a pass without some blocks. */
  boolean skipsAt(int step) {
    return skipping.filter(some -> some.actsAt(step, sampler.timesteps().size())).isPresent();
  }
}
