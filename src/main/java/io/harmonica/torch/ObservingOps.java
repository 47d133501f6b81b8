package io.harmonica.torch;

import io.harmonica.model.Forwarding;
import io.harmonica.model.Site;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The libtorch interpreter that looks at what linear maps read: the largest number of each channel,
 * and of some sites the sum of {@code x x^T} over all tokens, to which errors of weights refer.
 */
public final class ObservingOps extends Forwarding<Value> implements AutoCloseable {
  private final Device device;
  private final Map<String, Site> first = new HashMap<>(); // of the maps that read a site
  private final Set<Site> withMoments;
  private final Map<Site, Tensor> largest = new HashMap<>(); // (in)
  private final Map<Site, Tensor> moments = new HashMap<>(); // (in, in)
  private boolean observes;

  /**
   * Round another interpreter, which its owner closes.
   *
   * @param withMoments those sites whose products are wanted
   */
  public ObservingOps(TorchOps ops, List<Site> sites, Collection<Site> withMoments) {
    super(ops);
    this.device = ops.device();
    sites.forEach(site -> first.put(site.name(), site));
    this.withMoments = Set.copyOf(withMoments);
  }

  /** Whether it looks, or only computes. */
  public void observe(boolean looks) {
    observes = looks;
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    look(x, name + ".weight");
    return super.linear(x, name, in, out);
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    look(x, name);
    return super.project(x, name, in, out);
  }

  private void look(Value x, String weight) {
    Site site = first.get(weight);
    if (!observes || site == null) {
      return;
    }
    try (Scope scope = Scope.withoutGradients()) {
      Tensor tokens = x.tensor.to(ScalarType.Float).reshape(-1, site.in());
      long[] rows = {0};
      Tensor most = tokens.abs().amax(rows, /* keepdim= */ false);
      Tensor before = largest.get(site);
      keep(largest, site, before == null ? most : torch.maximum(before, most)); // NaN stays
      if (withMoments.contains(site)) {
        Tensor moment = moments.get(site);
        if (moment == null) {
          keep(moments, site, tokens.t().matmul(tokens));
        } else {
          moment.addmm_(tokens.t(), tokens);
        }
      }
    }
  }

  private static void keep(Map<Site, Tensor> all, Site site, Tensor now) {
    now.retainReference();
    Tensor before = all.put(site, now);
    if (before != null) {
      before.releaseReference();
    }
  }

  /** Goes on from what was observed before. */
  public void goOn(Map<Site, float[]> largestBefore, Map<Site, float[]> momentsBefore) {
    try (Scope scope = Scope.withoutGradients()) {
      largestBefore.forEach(
          (site, values) ->
              keep(largest, site, Parameters.send(values, ScalarType.Float, device, site.in())));
      momentsBefore.forEach(
          (site, values) ->
              keep(
                  moments,
                  site,
                  Parameters.send(values, ScalarType.Float, device, site.in(), site.in())));
    }
  }

  /** The largest number of each channel, by site: [in]. */
  public Map<Site, float[]> largest() {
    return floats(largest);
  }

  /** Sums of {@code x x^T}, by site: [in, in]. */
  public Map<Site, float[]> moments() {
    return floats(moments);
  }

  private static Map<Site, float[]> floats(Map<Site, Tensor> tensors) {
    Map<Site, float[]> floats = new HashMap<>();
    try (Scope scope = Scope.withoutGradients()) {
      tensors.forEach((site, tensor) -> floats.put(site, new Value(tensor).floats()));
    }
    return floats;
  }

  @Override
  public void close() {
    largest.values().forEach(Tensor::releaseReference);
    moments.values().forEach(Tensor::releaseReference);
  }
}
