package io.harmonica.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.router.CacheSchedules;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.router.TorchRouters;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.apache.commons.cli.Options;

/** {@code harmonica import-router}: takes over a router that another project trained. */
final class ImportRouterCommand implements Command {
  private static final List<String> TRAINED =
      Arrays.stream(TorchRouters.values()).map(TorchRouters::toString).toList();
  private static final List<String> SCHEDULES =
      Arrays.stream(CacheSchedules.values()).map(CacheSchedules::toString).toList();
  private static final List<String> FORMATS =
      Stream.of(TRAINED, SCHEDULES).flatMap(List::stream).toList();

  /**
   * What a file says.
   *
   * @param scores {@code [steps][branches + runs]}
   * @param sampler the only one that it is for; empty where it does not tell
   */
  private record Imported(
      double[][] scores, List<Run> runs, double threshold, Optional<String> sampler) {}

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
    return "take over a router or a schedule that another project made";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "--format harmonica|learning-to-cache FILE.pt (--checkpoint PATH | --architecture NAME)"
            + " [--sampler NAME] [--threshold X] --out ROUTER.json",
        "--format smoothcache|cache-dit FILE.json (--checkpoint PATH | --architecture NAME)"
            + " [--sampler NAME] --out ROUTER.json");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value("format", "FORMAT", "who wrote the file: " + String.join(", ", FORMATS))
            .value("checkpoint", "PATH", "the model: a diffusers folder, or an original .pt file");
    return CheckpointOptions.declareForRouters(options)
        .value("architecture", "NAME", "the model by its published name, for example DiT-XL/2")
        .value(
            "sampler",
            "NAME",
            "the sampler it was trained for: "
                + String.join(", ", Sampler.NAMES)
                + " (default: the model's)")
        .value(
            "spacing",
            RouterCommands.SPACING_WORDS,
            "timesteps as diffusers or as the original DiT space them (default: by the checkpoint's"
                + " scheduler or layout, openai for --architecture; linspace for dpm-solver++ and"
                + " sa-solver, uniform for dpm-solver-2 and dpm-solver-fast)")
        .value("threshold", "X", "scores above it compute, 0..1 (default 0.1, of U-ViT 0.9)")
        .value("name", "NAME", "the router's name (default: that of the file)")
        .value("out", "ROUTER.json", "the file to write")
        .options();
  }

  @Override
  public List<String> arguments() {
    return List.of("FILE");
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica import-router --format learning-to-cache DDIM20_router.pt"
            + " --architecture DiT-XL/2 --out ltc20.json",
        "bin/harmonica import-router --format smoothcache 50-N-3-threshold-0.18.json"
            + " --architecture DiT-XL/2 --out smooth50.json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String format = arguments.requiredText("format");
    Arguments.requireChoice("--format", format, FORMATS);
    arguments.requireOneOf("checkpoint", "architecture");
    Optional<String> stated = RouterCommands.sampler(arguments);
    Optional<Spacing> spacing = RouterCommands.spacing(arguments);
    OptionalDouble threshold =
        arguments
            .decimal("threshold", 0, 1)
            .map(OptionalDouble::of)
            .orElseGet(OptionalDouble::empty);
    String name = RouterCommands.name(arguments);
    Path file = arguments.pathArgument(0);
    ModelCard model = model(arguments);
    if (SCHEDULES.contains(format)) {
      arguments.refuse("threshold", "with --format " + format + ", which has no scores");
    }
    Imported table = read(format, file, model, threshold);
    String sampler = sampler(file, format, table, stated, model);
    Timesteps timesteps = RouterCommands.timesteps(model, sampler, table.scores().length, spacing);
    Router router = router(file, name, model, sampler, timesteps, table, format);
    RouterCommands.write(router, model, arguments, console);
    return CommandRunner.DONE;
  }

  private static Imported read(
      String format, Path file, ModelCard model, OptionalDouble threshold) {
    List<String> branches = model.branches();
    if (SCHEDULES.contains(format)) {
      CacheSchedules.Table table =
          CacheSchedules.values()[SCHEDULES.indexOf(format)].read(file, branches);
      return new Imported(table.scores(), table.runs(), 0.5, Optional.empty());
    }
    TorchRouters.Table table =
        TorchRouters.values()[TRAINED.indexOf(format)].read(file, branches.size(), threshold);
    return new Imported(table.scores(), List.of(), table.threshold(), table.sampler());
  }

  /** The file's own, where it tells; else the stated or the model's. */
  private static String sampler(
      Path file, String format, Imported table, Optional<String> stated, ModelCard model) {
    String sampler = stated.orElseGet(() -> table.sampler().orElseGet(model.sampling()::sampler));
    if (!sampler.equals(table.sampler().orElse(sampler))) {
      throw new HarmonicaException(
          "%s was trained for sampler %s, not %s: leave out --sampler"
              .formatted(file, table.sampler().get(), sampler));
    }
    if (table.sampler().isEmpty()
        && format.equals(TorchRouters.LEARNING_TO_CACHE.toString())
        && Sampler.ANY_TIME.contains(sampler)) {
      throw new HarmonicaException(
          "%s is Learning-to-Cache's for DiT, whose rows are no steps of %s: give one that it trained for U-ViT"
              .formatted(file, sampler));
    }
    return sampler;
  }

  private static Router router(
      Path file,
      String name,
      ModelCard model,
      String sampler,
      Timesteps timesteps,
      Imported table,
      String format) {
    try {
      return new Router(
          name,
          model.architecture(),
          sampler,
          timesteps.size(),
          timesteps,
          table.threshold(),
          model.branches(),
          table.runs(),
          table.scores(),
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
