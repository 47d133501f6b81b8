package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Program;
import io.harmonica.router.Router;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.Sampler;
import java.util.Optional;

/**
 * A request that fits its model, resolved: how every one of its trajectories runs.
 *
 * @param router empty where every branch is computed
 * @param wholeTimesteps whether the model takes timesteps as int64, else as fp32
 */
record Admitted(
    Manifest manifest,
    Optional<Router> router,
    Program program,
    Sampler sampler,
    Guidance guidance,
    boolean wholeTimesteps) {

  /** Rows of a request for so many pictures: guidance takes two for each. */
  int rows(int pictures) {
    return guidance.rows() * pictures;
  }
}
