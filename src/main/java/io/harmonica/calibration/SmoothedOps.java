package io.harmonica.calibration;

import io.harmonica.model.Forwarding;
import io.harmonica.model.Ops;
import io.harmonica.model.Site;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;

/**
 * An interpreter that multiplies what smoothed maps read by their site's factors, where these are
 * not in the weights: a modulated layer norm in its gain and shift, anything else as it is.
 */
final class SmoothedOps<T> extends Forwarding<T> {
  private static final String WEIGHT = ".weight";

  private final Smoothing smoothing;

  // What made a tensor, as long as that is there.
  private final Map<T, Normal<T>> normals = new WeakHashMap<>();
  private final Map<T, Pair<T>> products = new WeakHashMap<>();
  private final Map<T, Pair<T>> sums = new WeakHashMap<>();
  private final Map<T, T> smoothed = new WeakHashMap<>(); // q, k and v read the same

  private record Normal<T>(T x, int width, double eps) {}

  private record Pair<T>(T a, T b) {}

  SmoothedOps(Ops<T> ops, Smoothing smoothing) {
    super(ops);
    this.smoothing = smoothing;
  }

  @Override
  public T layerNorm(T x, int width, double eps) {
    T normal = super.layerNorm(x, width, eps);
    normals.put(normal, new Normal<>(x, width, eps));
    return normal;
  }

  @Override
  public T mul(T a, T b) {
    T product = super.mul(a, b);
    products.put(product, new Pair<>(a, b));
    return product;
  }

  @Override
  public T add(T a, T b) {
    T sum = super.add(a, b);
    sums.put(sum, new Pair<>(a, b));
    return sum;
  }

  @Override
  public T linear(T x, String name, int in, int out) {
    return super.linear(read(x, name + WEIGHT), name, in, out);
  }

  @Override
  public T project(T x, String name, int in, int out) {
    return super.project(read(x, name), name, in, out);
  }

  private T read(T x, String weight) {
    Optional<Site> site = smoothing.site(weight);
    if (site.isEmpty()) {
      return x;
    }
    return switch (site.get().kind()) {
      case MODULATED -> smoothed.computeIfAbsent(x, some -> modulated(some, site.get()));
      case GELU, MADE -> smoothed.computeIfAbsent(x, some -> super.mul(some, factor(site.get())));
      case NORM, VALUES, GIVEN -> x;
    };
  }

  /** {@code norm(h) * (1 + scale) + shift} times the factors: (B, N, D). */
  private T modulated(T x, Site site) {
    Pair<T> sum = sums.get(x);
    Pair<T> product = products.get(sum.a);
    Normal<T> normal = normals.get(product.a);
    T gained = super.layerNorm(normal.x, Smoothing.factorName(site), normal.width, normal.eps);
    return super.add(super.mul(gained, product.b), super.mul(sum.b, factor(site)));
  }

  private T factor(Site site) {
    return parameter(Smoothing.factorName(site) + WEIGHT, site.in());
  }
}
