package io.harmonica.results;

import io.harmonica.HarmonicaException;
import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Pruning;
import io.harmonica.calibration.Ranges;
import io.harmonica.export.ExportOptions.Numerics;
import io.harmonica.model.Site;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import java.util.List;
import java.util.Optional;

/** What is exported of a checkpoint: all of it in fp32, in 8 bits, or pruned. */
enum Form {
  FP32("fp32", "", Precision.FP32, 1),
  INT8("int8", "in int8", Precision.INT8, 1),
  INT8_STATIC("int8-static", "in int8-static", Precision.INT8_STATIC, 1),
  PRUNED_84("pruned-0.84", "pruned to 0.84 of the FLOPs", Precision.FP32, 0.84),
  PRUNED_50("pruned-0.5", "pruned to 0.5 of the FLOPs", Precision.FP32, 0.5);

  /** What options call it. */
  final String id;

  /** What its table's title adds. */
  final String title;

  private final Precision precision;
  private final double left;

  Form(String id, String title, Precision precision, double left) {
    this.id = id;
    this.title = title;
    this.precision = precision;
    this.left = left;
  }

  /** The one of a name. */
  static Form of(String id) {
    return Choice.of("--forms", id, values(), form -> form.id);
  }

  private boolean needsRanges() {
    return precision.maps().needRanges() || left < 1;
  }

  /**
   * A model in this form.
   *
   * @param numerics of its engines
   */
  record Made(Model model, Numerics numerics) {}

  /**
   * Makes it.
   *
   * @param ranges of this checkpoint, with the moments of MLPs
   * @param weights digest of the checkpoint's own
   */
  Made of(Model whole, Optional<Ranges> ranges, String weights) {
    if (!needsRanges()) {
      return new Made(whole, new Numerics(precision, false));
    }
    Observed known =
        ranges
            .orElseThrow(
                () ->
                    new HarmonicaException(
                        "--forms %s needs --ranges FILE: bin/harmonica calibrate --moments mlp makes it"
                            .formatted(id)))
            .requireAllOf(weights, Site.of(whole.denoiser()));
    if (left == 1) {
      return new Made(whole, new Numerics(precision, false, Optional.of(known)));
    }
    Pruning pruning = Pruning.to(left, whole.denoiser(), whole.weights(), known);
    return new Made(
        new Model(pruning.model(), pruning.weights(), List.of()), new Numerics(precision, false));
  }
}
