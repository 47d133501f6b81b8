package io.harmonica.calibration;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.Library;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Mlp;
import io.harmonica.model.Narrowed;
import io.harmonica.model.Shapes;
import io.harmonica.model.Weights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model of whose MLPs each has lost the same part of its channels, at all steps alike: a baseline
 * to set beside caching. Those go whose absence the others make up for best, and these are changed
 * to make up for it ({@link Surgery}); nothing is trained.
 *
 * <p>It needs no pictures, only {@code sum x x^T} of what each MLP's second map reads, as {@code
 * harmonica calibrate} observes it.
 */
public final class Pruning {
  /** Channels go by so many, as kernels like widths that it divides; so many stay at least. */
  private static final int GRAIN = 8;

  private final Denoiser narrowed;
  private final Weights weights;
  private final Observed observed;

  private Pruning(Denoiser whole, Map<Mlp, Integer> widths, Weights exact, Observed observed) {
    this.narrowed = new Narrowed(whole, widths);
    PrunedMlps mlps = new PrunedMlps(widths, exact, observed);
    this.weights = new PrunedWeights(mlps, exact);
    this.observed = new PrunedObserved(mlps, observed);
  }

  /**
   * Of a model, so that a pass takes a part of its FLOPs, or as near as can be. No weight is read
   * yet.
   *
   * @param part that is left, up to 1
   * @param observed of this model, as has been checked; open as long as the weights are read
   * @throws HarmonicaException if moments are missing
   * @throws InvalidProperty if narrower MLPs cannot bring that
   */
  public static Pruning to(double part, Denoiser model, Weights exact, Observed observed) {
    Library.EJML.require();
    List<Mlp> mlps = Mlp.of(model);
    double least = least(model);
    if (mlps.isEmpty() || !(part >= least && part <= 1)) {
      throw new InvalidProperty(
          "pruneTo",
          mlps.isEmpty()
              ? "%s: the branches of %s have no MLPs of two maps and a GELU between; leave `pruneTo` out"
                  .formatted(part, model.architecture())
              : "%s is no part of its FLOPs that a %s can be pruned to, expected %.3f to 1: channels of MLPs go, nothing else"
                  .formatted(part, model.architecture(), Math.ceil(least * 1000) / 1000));
    }
    observed.requireMoments(mlps.stream().map(Mlp::hidden).toList());
    return new Pruning(model, widths(mlps, (1 - part) / (1 - least)), exact, observed);
  }

  /** The smallest part of its FLOPs that a model can be pruned to. */
  public static double least(Denoiser model) {
    return flops(new Narrowed(model, widths(Mlp.of(model), 1))) / flops(model);
  }

  /**
   * What MLPs keep.
   *
   * @param removed part of the channels that can go
   */
  private static Map<Mlp, Integer> widths(List<Mlp> mlps, double removed) {
    Map<Mlp, Integer> widths = new LinkedHashMap<>();
    for (Mlp mlp : mlps) {
      int grains = (mlp.width() - 1) / GRAIN;
      widths.put(mlp, mlp.width() - GRAIN * (int) Math.round(removed * grains));
    }
    return widths;
  }

  private static double flops(Denoiser model) {
    return Shapes.flops(model, Weights.NONE).full();
  }

  /** The narrower model. */
  public Denoiser model() {
    return narrowed;
  }

  /** Its parameters, made as they are read. */
  public Weights weights() {
    return weights;
  }

  /** What is known of its activations. */
  public Observed observed() {
    return observed;
  }
}
