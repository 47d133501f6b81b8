package io.harmonica.results;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/**
 * What is measured, and where it is kept.
 *
 * @param methods whose lines are measured
 * @param count pictures of each set, a multiple of the ten classes
 * @param guidance scale; up to 1 there is none, which halves the time
 * @param seed picture i starts from the noise of {@code seed + i}
 * @param batch pictures at a time
 * @param routers folder of trained routers, one a cell, by {@link Cell#name}
 * @param store every cell measured so far
 * @param work what can be made again: exports, uncached pictures
 * @param train whether missing routers are trained
 * @param trainOptions what is added to the training's command
 */
record Settings(
    Path checkpoint,
    List<Integer> steps,
    List<Double> speedups,
    List<Method> methods,
    int count,
    double guidance,
    long seed,
    int batch,
    Path features,
    Path reference,
    Path routers,
    Path store,
    Path page,
    Path work,
    boolean train,
    String trainOptions) {
  private static final int LEAST_COUNT = 40; // for the intervals of Fréchet distances

  Settings {
    if (count < LEAST_COUNT || count % DrawnShapes.CLASSES != 0) {
      throw new IllegalArgumentException(
          "--count %d must be a multiple of %d, at least %d"
              .formatted(count, DrawnShapes.CLASSES, LEAST_COUNT));
    }
  }

  static Options options() {
    Options options = new Options();
    value(options, "checkpoint", "the model (default export/shapes-dit)");
    value(options, "steps", "DDIM steps of the tables (default 10,20,50)");
    value(options, "speedups", "theoretical speedups (default 1.3,1.5,2.0)");
    value(options, "methods", "by the names in Method.java (default all)");
    value(options, "count", "pictures of each set (default 2000)");
    value(options, "guidance", "scale of classifier-free guidance (default 1.0: none)");
    value(options, "seed", "of the first picture's noise (default 0)");
    value(options, "batch", "pictures at a time (default 50; 8 to 96 differ by 5 %)");
    value(options, "features", "the network (default export/shapes-features/model.onnx)");
    value(options, "reference", "real shapes (default export/shapes-features/reference.json)");
    value(options, "routers", "folder of trained routers (default tests/results/routers)");
    value(options, "store", "what was measured (default tests/results/cells.jsonl)");
    value(options, "page", "the page (default docs/RESULTS.md)");
    value(options, "work", "folder for exports and pictures (default target/results)");
    value(options, "train-options", "added to the command that trains a missing router");
    options.addOption(null, "train", false, "train missing routers, not only print how");
    options.addOption(null, "write-reference", false, "only write --reference from drawn shapes");
    return options;
  }

  static Settings of(CommandLine line) {
    return new Settings(
        path(line, "checkpoint", "export/shapes-dit"),
        Arrays.stream(line.getOptionValue("steps", "10,20,50").split(","))
            .map(Integer::valueOf)
            .toList(),
        Arrays.stream(line.getOptionValue("speedups", "1.3,1.5,2.0").split(","))
            .map(Double::valueOf)
            .toList(),
        line.hasOption("methods")
            ? Arrays.stream(line.getOptionValue("methods").split(",")).map(Method::of).toList()
            : List.of(Method.values()),
        Integer.parseInt(line.getOptionValue("count", "2000")),
        Double.parseDouble(line.getOptionValue("guidance", "1.0")),
        Long.parseLong(line.getOptionValue("seed", "0")),
        Integer.parseInt(line.getOptionValue("batch", "50")),
        path(line, "features", "export/shapes-features/model.onnx"),
        path(line, "reference", "export/shapes-features/reference.json"),
        path(line, "routers", "tests/results/routers"),
        path(line, "store", "tests/results/cells.jsonl"),
        path(line, "page", "docs/RESULTS.md"),
        path(line, "work", "target/results"),
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

  private static Path path(CommandLine line, String option, String otherwise) {
    return Path.of(line.getOptionValue(option, otherwise));
  }

  private static void value(Options options, String name, String description) {
    options.addOption(Option.builder().longOpt(name).hasArg().desc(description).get());
  }
}
