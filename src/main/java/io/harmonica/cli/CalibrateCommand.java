package io.harmonica.cli;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.model.Site;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.sampler.Sampling;
import io.harmonica.torch.Device;
import io.harmonica.torch.ObservingOps;
import io.harmonica.torch.Precision;
import io.harmonica.torch.TorchOps;
import io.harmonica.train.Calibration;
import io.harmonica.train.Task;
import io.harmonica.train.TrainOptions;
import io.harmonica.train.Trainer;
import io.harmonica.train.trajectory.Captions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code harmonica calibrate}: observes what a checkpoint's linear maps read, for the export. */
final class CalibrateCommand implements Command {
  private static final String NONE = "none";
  private static final String MLP = "mlp";
  private static final String ALL = "all";

  @Override
  public String name() {
    return "calibrate";
  }

  @Override
  public String summary() {
    return "observe a checkpoint's activations, for --precision int8-static, fp8 and int4";
  }

  @Override
  public List<String> usage() {
    return List.of("--checkpoint PATH --out FILE [OPTIONS]");
  }

  @Override
  public Options options() {
    return TrajectoryOptions.declare("denoising steps of a trajectory, 2..1000 (default 20)")
        .value("pictures", "N", "how many to observe, nothing cached (default 16)")
        .value("batch", "N", "pictures that go together (default 4)")
        .value("every", "N", "look at every Nth step, and the last (default 4)")
        .value(
            "moments",
            String.join("|", NONE, MLP, ALL),
            "also sum the products of the channels of what maps read, of MLPs' second maps, as"
                + " --prune-to of harmonica-export needs them, or of all, as --precision int4 does; the size"
                + " is told before (default none)")
        .value("seed", "N", "of labels and noise (default 0)")
        .value("resume", "FILE", "go on from the file that an earlier run left")
        .value("out", "FILE", "the .safetensors file to write")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica calibrate --checkpoint export/shapes-dit --out /tmp/ranges.safetensors");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    Path out = arguments.requiredPath("out");
    OutputPaths.requireTensorFile("out", out);
    Device device = TrajectoryOptions.device(arguments);
    PipelineParts parts = PipelineParts.of(arguments.requiredPath("checkpoint"));
    Choices choices = parts.choices(CheckpointOptions.choicesForRouters(arguments));
    try (Checkpoint checkpoint = Checkpoint.open(parts.model())) {
      Model model = CheckpointOptions.model(checkpoint, choices, console);
      Sampling sampling = parts.sampling(model.denoiser().io().sampling());
      TrainOptions.Trajectory trajectory =
          TrajectoryOptions.of(
              arguments,
              arguments.integer("steps", 2, 1000).orElse(20),
              model.denoiser().io(),
              sampling);
      trajectory.requireGuides(model.denoiser());
      Optional<Captions> captions =
          CaptionSource.of(arguments, parts, model.denoiser(), device, console);
      String digest = Digest.of(checkpoint);
      Task task = Task.of("calibration", model.denoiser(), digest, trajectory, sampling, captions);
      String moments = arguments.choice("moments", List.of(NONE, MLP, ALL)).orElse(NONE);
      Calibration.Options options =
          new Calibration.Options(
              arguments.integer("pictures", 1, Integer.MAX_VALUE).orElse(16),
              arguments.integer("batch", 1, 4096).orElse(4),
              arguments.integer("every", 1, 1000).orElse(4),
              arguments.wholeNumber("seed").orElse(0L),
              moments);
      List<Site> sites = Site.of(model.denoiser());
      List<Site> withMoments = sites.stream().filter(site -> isIn(moments, site)).toList();
      if (!withMoments.isEmpty()) {
        console.note(
            "moments of %s take %s, in memory and in the file"
                .formatted(
                    RouterCommands.counted(withMoments.size(), "site"),
                    RouterCommands.bytes(
                        withMoments.stream().mapToLong(CalibrateCommand::momentBytes).sum())));
      }
      try (TorchOps ops = TorchOps.open(model.weights(), device, Precision.FP32);
          ObservingOps observing = new ObservingOps(ops, sites, withMoments);
          TrainingBars bars = new TrainingBars(console)) {
        new Calibration(task, Trainer.denoising(task, ops, trajectory), observing, options, bars)
            .run(trajectory, arguments.path("resume"), out);
        bars.close();
        console
            .out()
            .printf(
                "wrote %s: %s of %s, %s%n",
                out,
                RouterCommands.counted(sites.size(), "site"),
                model.denoiser().architecture(),
                RouterCommands.counted(options.pictures(), "picture"));
      }
    }
    return CommandRunner.DONE;
  }

  private static boolean isIn(String moments, Site site) {
    return switch (moments) {
      case ALL -> true;
      case MLP -> site.kind() == Site.Kind.GELU;
      default -> false;
    };
  }

  private static long momentBytes(Site site) {
    return (long) site.in() * site.in() * Float.BYTES;
  }
}
