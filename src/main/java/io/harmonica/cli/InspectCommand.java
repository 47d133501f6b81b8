package io.harmonica.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.model.Pruned;
import io.harmonica.picture.ImageHeatMap;
import io.harmonica.picture.TextHeatMap;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.Tiers;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.commons.cli.Options;

/** {@code harmonica inspect}: shows what a router does and saves. */
final class InspectCommand implements Command {
  private static final int WIDTH = 100;

  private final Models models;

  InspectCommand(Models models) {
    this.models = models;
  }

  @Override
  public String name() {
    return "inspect";
  }

  @Override
  public String summary() {
    return "show what a router computes, reuses and saves, with a heat map";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "--router FILE [--router FILE ...] [--checkpoint PATH] [--report FILE] [--json] [--png"
            + " FILE]",
        "--model-repository DIR --model NAME [--router NAME] [--report FILE] [--json] [--png"
            + " FILE]");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value(
                "router",
                "FILE",
                "a router file, or several to set beside each other; with --model-repository the"
                    + " name of a router")
            .value("checkpoint", "PATH", "the router's model, for speedup and cache bytes");
    return CheckpointOptions.declareForRouters(options)
        .value("model-repository", "DIR", "a repository that harmonica-export wrote")
        .value("model", "NAME", "the model in the repository")
        .value(
            "report", "FILE", "the JSON of a compare, for the realised speedups of several routers")
        .flag("json", "print the numbers as JSON instead")
        .value("png", "FILE", "draw the heat map into this file too")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica inspect --router taylor2.json --checkpoint export/shapes-dit --png"
            + " taylor2.png",
        "bin/harmonica inspect --model-repository model_repository --model shapes-dit --json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    Optional<Path> png = arguments.path("png");
    if (arguments.has("model-repository")) {
      inspectRepository(arguments, png, console);
    } else {
      inspectFile(arguments, png, console);
    }
    return CommandRunner.DONE;
  }

  private void inspectFile(Arguments arguments, Optional<Path> png, Console console) {
    arguments.refuse("model", "without --model-repository");
    if (!arguments.has("checkpoint")) {
      CheckpointOptions.refuse(arguments, "without --checkpoint");
    }
    if (!arguments.has("router")) {
      arguments.requiredText("router"); // says that it is missing
    }
    List<Router> routers = arguments.paths("router").stream().map(Router::read).toList();
    Optional<ModelCard> model =
        arguments.has("checkpoint")
            ? Optional.of(RouterCommands.checkpoint(models, arguments))
            : Optional.empty();
    model.ifPresent(
        card -> routers.forEach(r -> r.requireFits(card.architecture(), card.branches())));
    Function<Router, Savings> savings =
        router ->
            model
                .map(card -> Savings.of(router, card.flops(), card.cacheBytes()))
                .orElseGet(() -> Savings.of(router));
    if (routers.size() == 1) {
      arguments.refuse("report", "with one router");
      Router router = routers.get(0);
      show(router, savings.apply(router), Optional.empty(), arguments, png, console);
    } else {
      arguments.refuse("png", "with several routers");
      compare(routers, savings, arguments, console);
    }
  }

  /** Several beside each other. */
  private static void compare(
      List<Router> routers,
      Function<Router, Savings> savings,
      Arguments arguments,
      Console console) {
    Map<String, Double> measured =
        arguments.path("report").map(Frontier::measured).orElse(Map.of());
    Frontier frontier =
        new Frontier(
            routers.stream().map(r -> Frontier.Row.of(r, savings.apply(r), measured)).toList());
    if (arguments.has("json")) {
      ArrayNode all = JsonNodeFactory.instance.arrayNode();
      for (Frontier.Row row : frontier.rows()) {
        ObjectNode json = json(row.router(), row.savings(), Optional.empty());
        row.realised().ifPresent(value -> json.put("realisedSpeedup", value));
        row.error().ifPresent(value -> json.put("error", value));
        all.add(json);
      }
      console.out().println(all.toPrettyString());
    } else {
      console.out().print(frontier.text());
    }
  }

  private void inspectRepository(Arguments arguments, Optional<Path> png, Console console) {
    arguments.refuse("checkpoint", "with --model-repository");
    CheckpointOptions.refuse(arguments, "with --model-repository");
    String name = arguments.requiredText("model");
    Models.Exported exported = models.exported(arguments.requiredPath("model-repository"), name);
    ModelCard model = exported.card();
    Optional<String> wanted = arguments.text("router");
    if (wanted.isPresent()) {
      Router router = find(exported.routers(), wanted.get(), name);
      Savings savings = Savings.of(router, model.flops(), model.cacheBytes());
      show(router, savings, model.pruned(), arguments, png, console);
      return;
    }
    if (png.isPresent() && exported.routers().size() != 1) {
      throw new UsageException(
          "--png draws one router, and model %s has %d: name it with --router"
              .formatted(name, exported.routers().size()));
    }
    Function<Router, Savings> savings =
        router -> Savings.of(router, model.flops(), model.cacheBytes());
    ArrayNode all = JsonNodeFactory.instance.arrayNode();
    if (!arguments.has("json")) {
      model.pruned().ifPresent(left -> console.out().println(name + ": " + PruneOption.told(left)));
    }
    for (Router router : exported.routers()) {
      all.add(json(router, savings.apply(router), model.pruned()));
      if (!arguments.has("json")) {
        console
            .out()
            .println(router.name() + ": " + summary(router, savings.apply(router), model.pruned()));
      }
    }
    if (arguments.has("json")) {
      ObjectNode text = JsonNodeFactory.instance.objectNode().put("model", name);
      model
          .pruned()
          .ifPresent(
              left ->
                  text.putObject("pruned")
                      .put("flops", left.flops())
                      .put("parameters", left.parameters())
                      .put("channels", left.channels()));
      console.out().println(text.<ObjectNode>set("routers", all).toPrettyString());
    } else if (exported.routers().isEmpty()) {
      console.out().println("model %s has no routers".formatted(name));
    } else if (exported.routers().size() > 1) {
      console.out().println();
      compare(exported.routers(), savings, arguments, console);
    }
    png.ifPresent(file -> draw(exported.routers().get(0), file, console));
  }

  private static Router find(List<Router> routers, String name, String model) {
    List<String> names = routers.stream().map(Router::name).toList();
    if (!names.contains(name)) {
      throw new HarmonicaException(
          "model %s has no router '%s', only %s%s"
              .formatted(model, name, names, Suggestion.of(name, names, "")));
    }
    return routers.get(names.indexOf(name));
  }

  private static void show(
      Router router,
      Savings savings,
      Optional<Pruned> pruned,
      Arguments arguments,
      Optional<Path> png,
      Console console) {
    if (arguments.has("json")) {
      console.out().println(json(router, savings, pruned).toPrettyString());
    } else {
      console.out().print(text(router, savings, pruned));
    }
    png.ifPresent(file -> draw(router, file, console));
  }

  private static void draw(Router router, Path file, Console console) {
    AtomicFile.write(file, ImageHeatMap.png(router));
    console.err().println("wrote " + file);
  }

  private static String text(Router router, Savings savings, Optional<Pruned> pruned) {
    return "%s for %s, sampler %s, reuse %s%n%s%n"
            .formatted(
                router.name(),
                router.model(),
                router.sampler(),
                router.reuse().kind(),
                summary(router, savings, pruned))
        + (router.training().isEmpty() ? "" : "made by " + router.training() + "\n")
        + "\n"
        + TextHeatMap.of(router, WIDTH);
  }

  private static String summary(Router router, Savings savings, Optional<Pruned> pruned) {
    return RouterCommands.summary(router, savings)
        + pruned
            .map(left -> savings.theoreticalSpeedup().orElseThrow() / left.flops())
            .map(speedup -> String.format(Locale.ROOT, ", %.2fx to the model unpruned", speedup))
            .orElse("");
  }

  /** The fields that scripts read; unknown ones are null. */
  private static ObjectNode json(Router router, Savings savings, Optional<Pruned> pruned) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", router.name()).put("model", router.model());
    router.tier().ifPresent(tier -> json.put(Tiers.FIELD, tier));
    json.put("steps", router.steps()).put("branches", router.branches().size());
    router.branches().forEach(json.putArray("branchNames")::add);
    savings.computedPerStep().forEach(json.putArray("computedPerStep")::add);
    json.put("reused", savings.reused()).put("cur", savings.cur());
    json.putNull("theoreticalSpeedup").putNull("peakCacheBytesPerSample");
    savings.theoreticalSpeedup().ifPresent(s -> json.put("theoreticalSpeedup", s));
    pruned.ifPresent(
        left ->
            json.put(
                "theoreticalSpeedupToUnpruned",
                savings.theoreticalSpeedup().orElseThrow() / left.flops()));
    savings.peakCacheBytesPerSample().ifPresent(b -> json.put("peakCacheBytesPerSample", b));
    return json.put("routes", savings.routes());
  }
}
