package io.harmonica.calibration;

import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Site;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** Scales by which the largest number that was observed of a site has the largest code. */
public final class LargestInputs implements InputScales {
  private final Map<String, Site> byWeight;
  private final Function<Site, float[]> largest;
  private final float most;

  /**
   * For a model.
   *
   * @param largest of a site's numbers, by channel
   * @param most the largest code
   */
  public LargestInputs(List<Site> sites, Function<Site, float[]> largest, float most) {
    this.byWeight = Site.byWeight(sites);
    this.largest = largest;
    this.most = most;
  }

  @Override
  public Optional<Supplier<Float>> of(String weight) {
    return Optional.ofNullable(byWeight.get(weight)).map(site -> () -> scale(site));
  }

  private float scale(Site site) {
    float all = Int8Matrix.TINY;
    for (float one : largest.apply(site)) {
      all = Math.max(all, one);
    }
    return all / most;
  }
}
