package io.harmonica.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.HarmonicaException;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.TorchRouters;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code harmonica import-router}: takes over a router that another project trained. */
final class ImportRouterCommand implements Command {
  private static final List<String> FORMATS =
      Arrays.stream(TorchRouters.values()).map(TorchRouters::toString).toList();

  private final Models models;

  ImportRouterCommand(Models models) {
    this.models = models;
  }

  @Override
  public String name() {
    return "import-router";
  }

  @Override
  public String summary() {
    return "take over a router that HarmoniCa or Learning-to-Cache trained";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "--format harmonica|learning-to-cache FILE.pt (--checkpoint PATH | --architecture NAME)"
            + " [--sampler NAME] [--threshold X] --out ROUTER.json");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value("format", "FORMAT", "who wrote the file: harmonica or learning-to-cache")
            .value("checkpoint", "PATH", "the model: a diffusers folder, or an original .pt file");
    return CheckpointOptions.declare(options)
        .value("architecture", "NAME", "the model by its published name, for example DiT-XL/2")
        .value(
            "sampler",
            "NAME",
            "the sampler it was trained for: "
                + String.join(", ", Sampler.NAMES)
                + " (default: the model's)")
        .value(
            "spacing",
            "leading|linspace|trailing|openai",
            "timesteps as diffusers or as the original DiT space them (default: by the checkpoint's"
                + " scheduler or layout, openai for --architecture; linspace for dpm-solver++ and"
                + " sa-solver)")
        .value("threshold", "X", "scores above it compute, 0..1 (default 0.1)")
        .value("name", "NAME", "the router's name (default: that of the file)")
        .value("out", "ROUTER.json", "the file to write")
        .options();
  }

  @Override
  public List<String> arguments() {
    return List.of("FILE.pt");
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica import-router --format learning-to-cache DDIM20_router.pt"
            + " --architecture DiT-XL/2 --out ltc20.json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String format = arguments.requiredText("format");
    Arguments.requireChoice("--format", format, FORMATS);
    arguments.requireOneOf("checkpoint", "architecture");
    Optional<String> stated = RouterCommands.sampler(arguments);
    Optional<Spacing> spacing = RouterCommands.spacing(arguments);
    double threshold = arguments.decimal("threshold", 0, 1).orElse(0.1);
    String name = RouterCommands.name(arguments);
    Path file = arguments.pathArgument(0);
    ModelCard model = model(arguments);
    String sampler = stated.orElseGet(model.sampling()::sampler);
    double[][] scores =
        TorchRouters.values()[FORMATS.indexOf(format)].scores(
            file, model.branches().size(), threshold);
    Router router = router(file, name, model, sampler, spacing, threshold, scores, format);
    RouterCommands.write(router, model, arguments, console);
    return CommandRunner.DONE;
  }

  private Router router(
      Path file,
      String name,
      ModelCard model,
      String sampler,
      Optional<Spacing> spacing,
      double threshold,
      double[][] scores,
      String format) {
    try {
      return new Router(
          name,
          model.architecture(),
          sampler,
          scores.length,
          RouterCommands.timesteps(model, sampler, scores.length, spacing),
          threshold,
          model.branches(),
          scores,
          Reuse.LAST,
          JsonNodeFactory.instance
              .objectNode()
              .put("imported", format)
              .put("file", String.valueOf(file.getFileName())));
    } catch (IllegalArgumentException e) { // for example a first step that would reuse
      throw new HarmonicaException("%s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private ModelCard model(Arguments arguments) {
    if (arguments.has("checkpoint")) {
      return RouterCommands.checkpoint(models, arguments);
    }
    CheckpointOptions.refuse(arguments, "with --architecture");
    return models.architecture(arguments.requiredText("architecture"));
  }
}
