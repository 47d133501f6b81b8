package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.calibration.Ranges;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Site;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.router.Grain;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampling;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.TorchOps;
import io.harmonica.train.Memory;
import io.harmonica.train.Start;
import io.harmonica.train.Task;
import io.harmonica.train.TrainOptions;
import io.harmonica.train.TrainOptions.Control;
import io.harmonica.train.TrainOptions.Effort;
import io.harmonica.train.TrainOptions.ErrorWeights;
import io.harmonica.train.TrainOptions.Lambda;
import io.harmonica.train.TrainOptions.Objective;
import io.harmonica.train.TrainOptions.Reusing;
import io.harmonica.train.Trainer;
import io.harmonica.train.TrainingFiles;
import io.harmonica.train.trajectory.Captions;
import io.harmonica.train.trajectory.Denoising;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code harmonica train}: learns a router for a checkpoint, from the checkpoint alone. */
final class TrainCommand implements Command {
  private static final String DEFAULT_SPEEDUP = "1.5";
  private static final String INT8 = "int8";
  private static final String INT8_STATIC = "int8-static";
  private static final List<String> PRECISIONS = List.of("fp32", "bf16", INT8, INT8_STATIC);

  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "learn a router from a checkpoint, without images";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "--checkpoint PATH --steps N [--beta B | --target-speedup X | --target-cur X | --tiers X,Y,...]"
            + " --out ROUTER.json [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList all =
        TrajectoryOptions.declare("denoising steps of the trajectory, 2..1000")
            .value(
                "objective",
                words(Objective.values()),
                "HarmoniCa's training over whole trajectories (default), or Learning-to-Cache's over"
                    + " pairs of steps, on pictures that the checkpoint generates first")
            .value(
                "reuse",
                words(Reusing.values()),
                "how a reused output follows from the computed ones: as it is (default), forecast, or"
                    + " forecast with weights that are learned too")
            .value(
                "grain",
                words(Grain.values()),
                "what a step computes or reuses as one: each branch (default), each block, or all blocks")
            .flag(
                "merge",
                "afterwards reuse neighbours as one, where that costs less than it saves in tensors read")
            .value("target-speedup", "X", "theoretical speedup to end at (default 1.5)")
            .value("target-cur", "X", "share of branch executions to end at reusing")
            .value("beta", "B", "instead of a target: the fixed price of a computed branch")
            .value(
                "init",
                String.join("|", Start.NAMES) + "|FILE",
                "start from noise (default), from a policy's table, or from that of a router's file")
            .value(
                "lambda",
                words(Lambda.values()),
                "how much an error at a step matters (IEPO): by what one of 1 does to the picture"
                    + " (default), by the paper, or as the reference code computes it")
            .flag("no-iepo", "the same as --lambda none: errors at all steps matter alike")
            .value("lambda-every", "C", "iterations between two refreshes of lambda (default 50)")
            .value("iterations", "N", "trajectories to train on (default 500); 0: none")
            .value("batch", "N", "pictures a trajectory (default 4)")
            .value("learning-rate", "X", "AdamW's (default 0.01)")
            .value("threshold", "X", "above which a score computes (default 0.1)")
            .value(
                "exchange",
                "N",
                "afterwards up to N rounds of exchanging branches by the error of the pictures"
                    + " themselves, those before --resume included (default 0)")
            .value("seed", "N", "of all that is random (default 0)")
            .value(
                "precision",
                String.join("|", PRECISIONS),
                "of the model (default fp32); int8, int8-static: as engines in these have it, rounded in"
                    + " fp32, for a router that is made for them; errors are measured against the pictures"
                    + " of fp32")
            .value(
                "ranges",
                "FILE",
                "what harmonica calibrate observed of this checkpoint, for --precision int8-static")
            .value("resume", "FILE", "go on from the .state.json that an earlier run left")
            .value("name", "NAME", "the router's name (default: that of the file)")
            .value("out", "ROUTER.json", "the file to write; state, log and pictures go beside it");
    return Family.declare(all).options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica train --checkpoint export/shapes-dit --steps 20 --target-speedup 1.5"
            + " --out /tmp/fast.json",
        "bin/harmonica train --checkpoint export/shapes-dit --steps 20 --reuse learned --init taylor"
            + " --iterations 60 --exchange 3 --out /tmp/best.json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    arguments.refuseBoth("beta", "target-speedup");
    arguments.refuseBoth("beta", "target-cur");
    arguments.refuseBoth("target-speedup", "target-cur");
    arguments.refuseBoth("no-iepo", "lambda");
    List<Family.Member> family = Family.of(arguments);
    if (arguments.has(Family.TIERS)) {
      arguments.refuse(
          "resume", "with --tiers: resume one router, by --tier and --target-speedup of it");
    }
    family.forEach(member -> OutputPaths.requireFile("out", member.out()));
    Device device = TrajectoryOptions.device(arguments);
    PipelineParts parts = PipelineParts.of(arguments.requiredPath("checkpoint"));
    Choices choices = parts.choices(CheckpointOptions.choicesForRouters(arguments));
    try (Checkpoint checkpoint = Checkpoint.open(parts.model())) {
      Model model = CheckpointOptions.model(checkpoint, choices, console);
      Sampling sampling = parts.sampling(model.denoiser().io().sampling());
      TrainOptions options = options(arguments, family, model.denoiser().io(), sampling);
      options.start().requireFits(model.denoiser(), options.trajectory().steps());
      options.trajectory().requireGuides(model.denoiser());
      Memory.requireRoom(model.denoiser(), options, device.toString().equals("cpu"));
      Optional<Captions> captions =
          CaptionSource.of(arguments, parts, model.denoiser(), device, console);
      String digest = Digest.of(checkpoint);
      Task task =
          Task.of(
              family.get(0).name(),
              model.denoiser(),
              digest,
              options.trajectory(),
              sampling,
              captions);
      if (options.objective() == Objective.LTC) {
        task.signal(); // or refuses
      }
      String word = arguments.choice("precision", PRECISIONS).orElse("fp32");
      boolean int8 = word.equals(INT8) || word.equals(INT8_STATIC);
      Precision precision = word.equals("bf16") ? Precision.BF16 : Precision.FP32;
      if (!word.equals(INT8_STATIC)) {
        arguments.refuse("ranges", "without --precision int8-static");
      }
      try (Ranges ranges = word.equals(INT8_STATIC) ? ranges(arguments, model, digest) : null;
          TorchOps ops = TorchOps.open(model.weights(), device, precision);
          RoundedModel rounded =
              int8
                  ? RoundedModel.open(model, Optional.ofNullable(ranges), device, precision)
                  : null;
          TrainingBars bars = new TrainingBars(console)) {
        Denoising exact = Trainer.denoising(task, ops, options.trajectory());
        String numbers = ranges == null ? word : word + " of ranges " + ranges.digest();
        Denoising denoising = int8 ? exact.in(rounded.ops(), numbers) : exact;
        for (Family.Member member : family) {
          Task own = task.named(member.name());
          TrainingFiles files = new TrainingFiles(member.out());
          Trainer trainer =
              new Trainer(own, denoising, options.held(control(arguments, member)), files, bars);
          Thread onExit = new Thread(trainer::save);
          Runtime.getRuntime().addShutdownHook(onExit); // Ctrl-C
          Router router = trainer.run(arguments.path("resume"));
          Runtime.getRuntime().removeShutdownHook(onExit);
          bars.close();
          console
              .out()
              .printf(
                  Locale.ROOT,
                  "wrote %s: %s%n",
                  files.router(),
                  RouterCommands.summary(router, own.savings(router)));
        }
      }
    }
    return CommandRunner.DONE;
  }

  private static Ranges ranges(Arguments arguments, Model model, String digest) {
    Ranges ranges = Ranges.open(arguments.requiredPath("ranges"));
    try {
      return ranges.requireAllOf(digest, Site.of(model.denoiser()));
    } catch (HarmonicaException e) {
      ranges.close();
      throw e;
    }
  }

  private static TrainOptions options(
      Arguments arguments, List<Family.Member> family, Denoiser.Interface io, Sampling sampling) {
    Objective objective = choice(arguments, "objective", Objective.values(), Objective.SDT);
    if (objective == Objective.LTC) {
      arguments.refuse("no-iepo", "with --objective ltc");
      arguments.refuse("lambda", "with --objective ltc");
      arguments.refuse("lambda-every", "with --objective ltc");
    }
    boolean weighs = objective == Objective.SDT && !arguments.has("no-iepo");
    return new TrainOptions(
        TrajectoryOptions.of(arguments, arguments.requiredInteger("steps", 2, 1000), io, sampling),
        objective,
        new TrainOptions.Reuses(
            choice(arguments, "reuse", Reusing.values(), Reusing.LAST),
            choice(arguments, "grain", Grain.values(), Grain.BRANCH),
            arguments.has("merge")),
        new ErrorWeights(
            choice(arguments, "lambda", Lambda.values(), weighs ? Lambda.GAIN : Lambda.NONE),
            arguments.integer("lambda-every", 1, Integer.MAX_VALUE).orElse(50)),
        control(arguments, family.get(0)),
        arguments.text("init").map(TrainCommand::start).orElse(Start.RANDOM),
        new Effort(
            arguments.integer("iterations", 0, Integer.MAX_VALUE).orElse(500),
            arguments.integer("batch", 1, Integer.MAX_VALUE).orElse(4),
            arguments.wholeNumber("seed").orElse(0L),
            arguments.decimal("learning-rate", 0, 1).orElse(0.01),
            arguments.integer("exchange", 0, Integer.MAX_VALUE).orElse(0)),
        arguments.decimal("threshold", 0, 1).orElse(0.1));
  }

  private static Start start(String init) {
    return Files.exists(Path.of(init)) && !Start.NAMES.contains(init)
        ? Start.of(Router.read(Path.of(init)))
        : Start.of(init);
  }

  private static Control control(Arguments arguments, Family.Member member) {
    Control control = member.speedup().map(Control::speedup).orElseGet(() -> control(arguments));
    return member.tier().map(control::forTier).orElse(control);
  }

  private static Control control(Arguments arguments) {
    Optional<Control> beta = arguments.decimal("beta", 0, 1e9).map(Control::beta);
    Optional<Control> cur = arguments.decimal("target-cur", 0, 1).map(Control::cur);
    Optional<Control> speedup = arguments.decimal("target-speedup", 1, 1000).map(Control::speedup);
    return beta.or(() -> cur)
        .or(() -> speedup)
        .orElseGet(() -> Control.speedup(Double.parseDouble(DEFAULT_SPEEDUP)));
  }

  private static <E extends Enum<E>> E choice(
      Arguments arguments, String option, E[] values, E absent) {
    List<String> words = Arrays.stream(values).map(TrainCommand::word).toList();
    return arguments.choice(option, words).map(word -> values[words.indexOf(word)]).orElse(absent);
  }

  private static String words(Enum<?>[] values) {
    return String.join("|", Arrays.stream(values).map(TrainCommand::word).toList());
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
