package io.harmonica.results;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.sampler.Sampling;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/**
 * What is measured, and where it is kept.
 *
 * @param subject what is drawn; the others' defaults are its
 * @param forms of the model, a table each
 * @param methods whose lines are measured
 * @param count pictures of each set, for shapes a multiple of the ten classes
 * @param guidance scale; up to 1 there is none, which halves the time
 * @param seed picture i starts from the noise of {@code seed + i}
 * @param batch pictures at a time
 * @param ranges what a calibration observed, for forms that need it
 * @param routers folder of trained routers, one a cell, by {@link Cell#name}
 * @param store every cell measured so far
 * @param work what can be made again: exports, uncached pictures
 * @param train whether missing routers are trained
 * @param trainOptions what is added to the training's command
 */
record Settings(
    Subject subject,
    Path checkpoint,
    List<Trajectory> trajectories,
    List<Form> forms,
    List<Double> speedups,
    List<Method> methods,
    int count,
    double guidance,
    long seed,
    int batch,
    Path features,
    Path reference,
    Optional<Path> ranges,
    Path routers,
    Path store,
    Path page,
    Path work,
    boolean train,
    String trainOptions) {
  private static final int LEAST_COUNT = 40; // for the intervals of Fréchet distances

  Settings {
    if (count < LEAST_COUNT || count % DrawnShapes.CLASSES != 0 || count > subject.most()) {
      throw new IllegalArgumentException(
          "--count %d must be a multiple of %d, at least %d, at most %d"
              .formatted(count, DrawnShapes.CLASSES, LEAST_COUNT, subject.most()));
    }
  }

  static Options options() {
    Options options = new Options();
    value(options, "subject", "shapes (default), by class, or scenes, by caption");
    value(options, "checkpoint", "the model (default export/shapes-dit, export/scenes-pixart)");
    value(
        options,
        "trajectories",
        "samplers with their steps, a table each (default ddim10,ddim20,ddim50; of scenes"
            + " dpm-solver++20,iddpm50,sa-solver25)");
    value(options, "forms", "of the model, by the names in Form.java (default fp32)");
    value(options, "ranges", "by calibrate --moments mlp, for int8-static and pruned models");
    value(options, "speedups", "theoretical speedups (default 1.3,1.5,2.0)");
    value(options, "methods", "by the names in Method.java (default all)");
    value(options, "count", "pictures of each set (default 2000; of scenes 1000)");
    value(
        options,
        "guidance",
        "scale of classifier-free guidance (default 1.0: none; of scenes 3.0)");
    value(options, "seed", "of the first picture's noise (default 0)");
    value(options, "batch", "pictures at a time (default 50; 8 to 96 differ by 5 %)");
    value(
        options,
        "features",
        "the network that judges (default model.onnx in export/SUBJECT-features)");
    value(options, "reference", "drawn pictures (default reference.json beside the network)");
    value(options, "routers", "folder of trained routers (default tests/results/routers)");
    value(options, "store", "what was measured (default tests/results/cells.jsonl)");
    value(options, "page", "the page (default docs/RESULTS.md; of scenes docs/RESULTS-TEXT.md)");
    value(options, "work", "folder for exports and pictures (default target/results)");
    value(options, "train-options", "added to the command that trains a missing router");
    options.addOption(null, "train", false, "train missing routers, not only print how");
    options.addOption(null, "write-reference", false, "only write --reference from drawn shapes");
    return options;
  }

  static Settings of(CommandLine line) {
    Subject subject = Subject.of(line.getOptionValue("subject", "shapes"));
    return new Settings(
        subject,
        path(line, "checkpoint", subject.checkpoint),
        (line.hasOption("trajectories")
                ? List.of(line.getOptionValue("trajectories").split(","))
                : subject.trajectories)
            .stream().map(Trajectory::of).toList(),
        Arrays.stream(line.getOptionValue("forms", Form.FP32.id).split(",")).map(Form::of).toList(),
        Arrays.stream(line.getOptionValue("speedups", "1.3,1.5,2.0").split(","))
            .map(Double::valueOf)
            .toList(),
        line.hasOption("methods")
            ? Arrays.stream(line.getOptionValue("methods").split(",")).map(Method::of).toList()
            : List.of(Method.values()),
        Integer.parseInt(line.getOptionValue("count", "" + subject.count)),
        Double.parseDouble(line.getOptionValue("guidance", "" + subject.guidance)),
        Long.parseLong(line.getOptionValue("seed", "0")),
        Integer.parseInt(line.getOptionValue("batch", "50")),
        path(line, "features", subject.judge.resolve("model.onnx")),
        path(line, "reference", subject.judge.resolve("reference.json")),
        Optional.ofNullable(line.getOptionValue("ranges")).map(Path::of),
        path(line, "routers", Path.of("tests/results/routers")),
        path(line, "store", Path.of("tests/results/cells.jsonl")),
        path(line, "page", Path.of(subject.page)),
        path(line, "work", Path.of("target/results")),
        line.hasOption("train"),
        line.getOptionValue("train-options", ""));
  }

  static CommandLine parse(String... arguments) {
    try {
      CommandLine line = new DefaultParser().parse(options(), arguments);
      for (Option option : line.getOptions()) {
        if (option.hasArg() && line.getOptionValues(option).length > 1) {
          throw new IllegalArgumentException("--%s is given twice".formatted(option.getLongOpt()));
        }
      }
      if (!line.getArgList().isEmpty()) {
        throw new IllegalArgumentException(
            "unknown argument '%s'".formatted(line.getArgList().get(0)));
      }
      return line;
    } catch (ParseException e) {
      String known =
          options().getOptions().stream()
              .map(option -> "--" + option.getLongOpt())
              .collect(Collectors.joining(" "));
      throw new IllegalArgumentException(e.getMessage() + "; options: " + known, e);
    }
  }

  /** The model's weights, of a pipeline's folder or its own. */
  Checkpoint weights() {
    return Checkpoint.open(PipelineParts.of(checkpoint).model());
  }

  Model model(Checkpoint weights) {
    return Model.of(weights, subject.choices);
  }

  /** As the folder's scheduler says. */
  Sampling sampling(Model model) {
    return PipelineParts.of(checkpoint).sampling(model.denoiser().io().sampling());
  }

  /** Of all that decides what the model draws. */
  String checkpointDigest() {
    return Digest.of(subject.parts.stream().map(checkpoint::resolve).toList());
  }

  private static Path path(CommandLine line, String option, Path otherwise) {
    return line.hasOption(option) ? Path.of(line.getOptionValue(option)) : otherwise;
  }

  private static void value(Options options, String name, String description) {
    options.addOption(Option.builder().longOpt(name).hasArg().desc(description).get());
  }
}
