package io.harmonica.calibration;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Site;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What was observed of a model's activations, by what its linear maps read. */
public interface Observed {

  /**
   * Refuses what is of another model, or of a part of a calibration.
   *
   * @param digest of the model's weights
   * @throws HarmonicaException if it is
   */
  Observed requireAllOf(String digest, List<Site> sites);

  /**
   * Refuses what has no {@link #moment} of a site that needs it.
   *
   * @throws HarmonicaException if one is missing
   */
  Observed requireMoments(List<Site> sites);

  /** The largest number of each channel of a site: [in]. */
  float[] largest(Site site);

  /** The sum of {@code x x^T} of a site: [in, in]; empty where it was not wanted. */
  Optional<Supplier<float[]>> moment(Site site);
}
