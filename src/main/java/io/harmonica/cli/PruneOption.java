package io.harmonica.cli;

import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Pruning;
import io.harmonica.calibration.Ranges;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Pruned;
import io.harmonica.model.Site;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code --prune-to}: what is exported of a checkpoint's model.
 *
 * @param model what is left of it; all without the option
 * @param ranges of its activations, for its precision
 */
record PruneOption(Model model, Optional<Observed> ranges) {
  static final String NAME = "prune-to";

  static final String DESCRIPTION =
      "leave so much of a pass's FLOPs, for example 0.84: channels of MLPs go, at all steps, and the"
          + " others are refitted to stand in for them; with --ranges of a calibration with"
          + " --moments mlp (default: 1, the whole model)";

  /**
   * As the command line has it.
   *
   * @param ranges what {@code --ranges} names
   * @param digest of the checkpoint, where there are ranges
   */
  static PruneOption of(
      Arguments arguments,
      Model whole,
      Precision precision,
      Optional<Ranges> ranges,
      Optional<String> digest) {
    Optional<Double> part = arguments.decimal(NAME, 0, 1);
    if (part.isEmpty()) {
      return new PruneOption(whole, ranges.map(known -> known));
    }
    if (ranges.isEmpty()) {
      throw new UsageException(
          "--prune-to needs --ranges FILE: what harmonica calibrate --moments mlp observed of this checkpoint");
    }
    Denoiser denoiser = whole.denoiser();
    Observed known = ranges.get().requireAllOf(digest.orElseThrow(), Site.of(denoiser));
    Pruning pruning = Pruning.to(part.get(), denoiser, whole.weights(), known);
    return new PruneOption(
        new Model(pruning.model(), pruning.weights(), whole.notes()),
        precision.maps().needRanges() ? Optional.of(pruning.observed()) : Optional.empty());
  }

  /** What is left, in words. */
  static String told(Pruned left) {
    return String.format(
        Locale.ROOT,
        "pruned to %.3f of a pass's FLOPs, %.3f of the parameters, %.3f of the channels of MLPs",
        left.flops(),
        left.parameters(),
        left.channels());
  }
}
