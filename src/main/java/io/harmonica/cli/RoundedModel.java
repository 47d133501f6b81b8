package io.harmonica.cli;

import io.harmonica.calibration.Ranges;
import io.harmonica.calibration.Smoothing;
import io.harmonica.model.InputScales;
import io.harmonica.model.Ops;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import io.harmonica.origin.Model;
import io.harmonica.torch.Device;
import io.harmonica.torch.Int8Ops;
import io.harmonica.torch.Precision;
import io.harmonica.torch.Value;
import java.util.Optional;

/**
 * A model in libtorch as engines in int8 or int8-static have it.
 *
 * @param ops its interpreter
 */
record RoundedModel(Int8Ops rounding, Ops<Value> ops) implements AutoCloseable {
  /**
   * Opens one.
   *
   * @param ranges of its activations, open as long as it is; empty where tokens scale themselves
   */
  static RoundedModel open(
      Model model, Optional<Ranges> ranges, Device device, Precision precision) {
    if (ranges.isEmpty()) {
      Int8Ops rounding = open(model, model.weights(), InputScales.NONE, device, precision);
      return new RoundedModel(rounding, rounding);
    }
    Smoothing smoothing =
        new Smoothing(Site.of(model.denoiser()), ranges.get()::largest, model.weights());
    Int8Ops rounding = open(model, smoothing.weights(), smoothing, device, precision);
    return new RoundedModel(rounding, smoothing.ops(rounding));
  }

  private static Int8Ops open(
      Model model, Weights weights, InputScales scales, Device device, Precision precision) {
    return Int8Ops.open(model.denoiser(), weights, scales, device, precision);
  }

  @Override
  public void close() {
    rounding.close();
  }
}
