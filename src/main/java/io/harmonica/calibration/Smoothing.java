package io.harmonica.calibration;

import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Ops;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Evens out the channels of what linear maps read, so that one scale fits all of them (SmoothQuant,
 * Xiao et al., arXiv 2211.10438): a site's channel c is divided by {@code v_c = sqrt(largest_c /
 * heaviest_c)} over the geometric mean of these, heaviest_c being the largest weight that reads it,
 * and these weights are multiplied by v_c. The model computes the same.
 *
 * <p>Where the factor goes is the site's {@link Site.Kind}: mostly into weights that are there
 * already. What no operation of a branch makes is left as it is; its tokens scale themselves.
 */
public final class Smoothing implements InputScales {
  /** Channels that are never far from zero count as this part of the largest one. */
  private static final float LEAST = 1e-5f;

  private final Weights exact;
  private final Map<String, Site> byWeight = new HashMap<>();
  private final Map<String, Site> bySource = new HashMap<>();
  private final Map<String, Site> byFactor = new HashMap<>();
  private final Function<Site, float[]> largest;
  private final Map<Site, float[]> factors = new HashMap<>();

  /**
   * For a model.
   *
   * @param largest of a site's numbers, by channel
   */
  public Smoothing(List<Site> sites, Function<Site, float[]> largest, Weights exact) {
    this.exact = exact;
    this.largest = largest;
    for (Site site : sites) {
      if (site.kind() != Site.Kind.GIVEN) {
        site.weights().forEach(weight -> byWeight.put(weight, site));
        byFactor.put(factorName(site) + ".weight", site);
        byFactor.put(factorName(site) + ".bias", site);
        if (site.kind().isOfWeights()) {
          bySource.put(site.source() + ".weight", site);
          bySource.put(site.source() + ".bias", site);
        }
      }
    }
  }

  @Override
  public Optional<Supplier<Float>> of(String weight) {
    return site(weight).map(site -> () -> scale(site));
  }

  /** The model's parameters with all factors in them, and the factors, as {@link #ops} asks. */
  public Weights weights() {
    return new SmoothedWeights(this, exact);
  }

  /**
   * An interpreter of the model that puts the other factors where they belong.
   *
   * @param ops over {@link #weights}
   */
  public <T> Ops<T> ops(Ops<T> ops) {
    return new SmoothedOps<>(ops, this);
  }

  /** The smoothed site that a map reads. */
  Optional<Site> site(String weight) {
    return Optional.ofNullable(byWeight.get(weight));
  }

  /** The site whose tensor a parameter makes. */
  Optional<Site> made(String parameter) {
    return Optional.ofNullable(bySource.get(parameter));
  }

  /** The site whose factors a name of {@link #factorName} asks for. */
  Optional<Site> factored(String parameter) {
    return Optional.ofNullable(byFactor.get(parameter));
  }

  /** Of a layer norm whose gain is a site's factors: its weight and bias are parameters. */
  static String factorName(Site site) {
    return site.name() + ".smoothing";
  }

  /** What a site is multiplied by, [in]: 1 / v. */
  float[] factor(Site site) {
    return factors.computeIfAbsent(site, this::computed);
  }

  private float[] computed(Site site) {
    float[] heaviest = new float[site.in()];
    for (Site.Reader reader : site.readers()) {
      float[] values = exact.read(reader.weight(), reader.out(), site.in());
      for (int i = 0; i < values.length; i++) {
        int channel = i % site.in();
        heaviest[channel] = Math.max(heaviest[channel], Math.abs(values[i]));
      }
    }
    return factors(largest.apply(site), heaviest);
  }

  static float[] factors(float[] largest, float[] heaviest) {
    double[] logs = new double[largest.length];
    float leastInput = least(largest);
    float leastWeight = least(heaviest);
    double mean = 0;
    for (int c = 0; c < logs.length; c++) {
      double ratio = Math.max(largest[c], leastInput) / Math.max(heaviest[c], leastWeight);
      logs[c] = Math.log(ratio) / 2;
      mean += logs[c] / logs.length;
    }
    float[] factors = new float[logs.length];
    for (int c = 0; c < logs.length; c++) {
      factors[c] = (float) Math.exp(mean - logs[c]);
    }
    return factors;
  }

  private static float least(float[] values) {
    float most = Int8Matrix.TINY;
    for (float value : values) {
      most = Math.max(most, value);
    }
    return most * LEAST;
  }

  private float scale(Site site) {
    float[] factor = factor(site);
    float[] observed = largest.apply(site);
    float most = Int8Matrix.TINY;
    for (int c = 0; c < factor.length; c++) {
      most = Math.max(most, observed[c] * factor[c]);
    }
    return most / Int8Matrix.MOST;
  }
}
