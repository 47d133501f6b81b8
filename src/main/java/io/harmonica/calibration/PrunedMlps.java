package io.harmonica.calibration;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Mlp;
import io.harmonica.model.Weights;
import java.lang.ref.SoftReference;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The MLPs of a pruned model: which channels each keeps, and its second map's weight then. One is
 * worked out when it is first asked for; as several engines may ask, the weight is remembered while
 * memory lasts.
 */
final class PrunedMlps {
  private final Map<Mlp, Integer> widths;
  private final Weights exact;
  private final Observed observed;
  private final Map<String, Mlp> byParameter = new HashMap<>();
  private final Map<Mlp, int[]> kept = new HashMap<>();
  private final Map<Mlp, SoftReference<float[]>> seconds = new HashMap<>();

  /**
   * Of a model.
   *
   * @param widths how many channels each keeps
   * @param observed of the model, with moments
   */
  PrunedMlps(Map<Mlp, Integer> widths, Weights exact, Observed observed) {
    this.widths = widths;
    this.exact = exact;
    this.observed = observed;
    for (Mlp mlp : widths.keySet()) {
      byParameter.put(mlp.first() + ".weight", mlp);
      byParameter.put(mlp.first() + ".bias", mlp);
      byParameter.put(mlp.second(), mlp);
    }
  }

  /** The MLP whose channels a parameter has. */
  Optional<Mlp> of(String parameter) {
    return Optional.ofNullable(byParameter.get(parameter));
  }

  /** The channels that one keeps, ascending. */
  int[] kept(Mlp mlp) {
    return kept.containsKey(mlp) ? kept.get(mlp) : pruned(mlp).kept();
  }

  /** The weight of its second map: [out, kept]. */
  float[] second(Mlp mlp) {
    SoftReference<float[]> before = seconds.get(mlp);
    float[] weight = before == null ? null : before.get();
    return weight == null ? pruned(mlp).weight() : weight;
  }

  private Surgery.Result pruned(Mlp mlp) {
    float[] weight = exact.read(mlp.second(), mlp.out(), mlp.width());
    float[] moment = observed.moment(mlp.hidden()).orElseThrow().get();
    Surgery.Result result =
        Surgery.of(weight, moment, mlp.width(), widths.get(mlp))
            .orElseThrow(
                () ->
                    new HarmonicaException(
                        "`ranges`: the moments of %s are no sum of products of numbers; observe them anew with harmonica calibrate and its `moments` mlp"
                            .formatted(mlp.second())));
    kept.put(mlp, result.kept());
    seconds.put(mlp, new SoftReference<>(result.weight()));
    return result;
  }
}
