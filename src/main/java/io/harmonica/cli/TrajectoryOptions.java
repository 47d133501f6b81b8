package io.harmonica.cli;

import io.harmonica.model.Denoiser;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import io.harmonica.torch.Device;
import io.harmonica.train.TrainOptions;

/** Options of trajectories that run on libtorch: what is drawn, how, and where. */
final class TrajectoryOptions {
  private TrajectoryOptions() {}

  /**
   * The checkpoint and all that says how it is drawn with.
   *
   * @param steps what the option of their number says
   */
  static OptionList declare(String steps) {
    OptionList checkpoint =
        new OptionList()
            .value(
                "checkpoint",
                "PATH",
                "the model: a diffusers folder, of a model or a whole pipeline, or an original .pt file");
    return TextFiles.options(CheckpointOptions.declareForTraining(checkpoint))
        .value("steps", "N", steps)
        .value("sampler", "NAME", String.join(", ", Sampler.NAMES) + " (default: the model's)")
        .value("spacing", RouterCommands.SPACING_WORDS, RouterCommands.SPACING)
        .value("captions", "FILE", "texts to draw, one a line, embedded once by the text encoders")
        .value(
            "text-embeddings",
            "FILE",
            "instead of captions, texts embedded elsewhere, as generate takes them; the first"
                + " negative one is the null caption")
        .value(
            "guidance",
            "X",
            "scale of classifier-free guidance (default: the model's, mostly 1.5, of texts 4.5);"
                + " 1: none")
        .value("guidance-channels", "N|all", "channels it acts on (default: the model's origin)")
        .value("device", "cpu|cuda[:N]", "where to compute (default cpu)");
  }

  /** What the command line says, of a model as it is sampled. */
  static TrainOptions.Trajectory of(
      Arguments arguments, int steps, Denoiser.Interface io, Sampling sampling) {
    double guidance = arguments.decimal("guidance", 0, 1000).orElse(io.defaultGuidance());
    if (io.shows().guided()) {
      arguments.refuse("guidance-channels", "on a model that is told the scale of guidance");
    } else if (guidance <= 1) {
      arguments.refuse(
          "guidance-channels",
          arguments.has("guidance") ? "with --guidance up to 1" : "without guidance");
    }
    int channels = io.origin().guidanceChannels();
    if (arguments.has("guidance-channels")) {
      channels =
          arguments.requiredText("guidance-channels").equals("all")
              ? io.channels()
              : arguments.requiredInteger("guidance-channels", 1, io.channels());
    }
    String sampler = RouterCommands.sampler(arguments).orElseGet(sampling::sampler);
    Spacing spacing = RouterCommands.spacing(arguments).orElseGet(() -> sampling.spacing(sampler));
    return new TrainOptions.Trajectory(sampler, steps, spacing.toString(), guidance, channels);
  }

  /** The device that the command line names. */
  static Device device(Arguments arguments) {
    try {
      return Device.of(arguments.text("device").orElse("cpu"));
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + e.getMessage());
    }
  }
}
