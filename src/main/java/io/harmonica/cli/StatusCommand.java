package io.harmonica.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.deploy.Survey;
import io.harmonica.runtime.Devices;
import io.harmonica.runtime.Statistics;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.cli.Options;

/** {@code harmonica status}: what Triton servers have of ours, or what could compute here. */
final class StatusCommand implements Command {
  private final ObjectMapper json = new ObjectMapper();

  @Override
  public String name() {
    return "status";
  }

  @Override
  public String summary() {
    return "show the models and routers of Triton servers, or the devices of this machine";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "--triton HOST:PORT[,...] [--model NAME] [--json] [OPTIONS]", "[--device PATH] [--json]");
  }

  @Override
  public Options options() {
    OptionList place =
        new OptionList()
            .value(
                "triton",
                TritonOptions.SERVERS,
                "the servers, by their gRPC ports (default: what computes in this process, for"
                    + " --device)")
            .value(DeviceOptions.DEVICE, "PATH", "without servers: list this plugin's devices too")
            .value("model", "NAME", "this base model only")
            .flag("json", "print JSON");
    return TritonOptions.declare(place).options();
  }

  @Override
  public List<String> examples() {
    return List.of("bin/harmonica status --triton localhost:8001", "bin/harmonica status");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    boolean asJson = arguments.has("json");
    if (!arguments.has("triton")) {
      TritonOptions.refuseAll(arguments, "without --triton");
      arguments.refuse("model", "without --triton");
      return devices(arguments, asJson, console);
    }
    arguments.refuse(DeviceOptions.DEVICE, "with --triton: its servers compute");
    Optional<String> model = arguments.text("model");
    ArrayNode all = json.createArrayNode();
    AtomicInteger code = new AtomicInteger(CommandRunner.DONE);
    TritonOptions.atEach(
        arguments,
        console,
        (address, server) -> {
          try {
            Survey survey = Survey.of(server);
            all.add(tree(address, survey, model));
            if (!asJson) {
              print(address, survey, model, console.out());
            }
          } catch (HarmonicaException e) { // the others are worth showing all the same
            code.set(CommandRunner.FAILED);
            all.addObject().put("server", address).put("fault", e.getMessage());
            console.err().println("error: " + Flags.in(e.getMessage()));
          }
        });
    if (asJson) {
      console.out().println(all.toPrettyString());
    }
    return code.get();
  }

  private int devices(Arguments arguments, boolean asJson, Console console) {
    List<Devices.Found> found =
        Devices.list(
            arguments.has(DeviceOptions.DEVICE)
                ? List.of(DeviceOptions.device(arguments))
                : List.of());
    if (asJson) {
      console.out().println(json.valueToTree(found).toPrettyString());
      return CommandRunner.DONE;
    }
    for (Devices.Found one : found) {
      console
          .out()
          .println(
              one.fault().isEmpty()
                  ? "%s: %s (%s) on %s, computes in %s"
                      .formatted(
                          one.name(), one.software(), one.vendor(), one.hardware(), one.precision())
                  : "%s: not usable: %s".formatted(one.name(), one.fault()));
    }
    return CommandRunner.DONE;
  }

  private static List<Survey.Model> chosen(Survey survey, Optional<String> model) {
    return survey.models().stream()
        .filter(one -> model.isEmpty() || model.get().equals(one.name()))
        .toList();
  }

  private static void print(String server, Survey survey, Optional<String> model, PrintStream out) {
    out.printf(
        "%s: %s, %s%n",
        server, survey.description(), survey.ready() ? "ready" : "NOT ALL MODELS LOADED");
    List<Survey.Model> models = chosen(survey, model);
    if (models.isEmpty()) {
      out.println("  no model" + model.map(name -> " " + name).orElse("") + " of ours");
    }
    for (Survey.Model one : models) {
      out.printf(
          "  %s, version %s%s, parts: %s%n",
          one.name(),
          one.version(),
          one.digest().isEmpty() ? "" : ", weights " + one.digest(),
          String.join(
              ", ",
              one.parts().entrySet().stream()
                  .map(state -> state.getValue() + " " + state.getKey())
                  .toList()));
      row(out, "none", "", one.uncached());
      for (Survey.RouterState router : one.routers()) {
        String routes =
            "%d steps, %d of %d routes loaded"
                .formatted(router.steps(), router.ready(), router.routes());
        row(out, router.name(), routes, router.requests());
      }
    }
  }

  private static void row(PrintStream out, String router, String routes, Statistics.Model done) {
    out.printf(
        Locale.ROOT,
        "    router %-24s %8d requests, %8.1f ms each, %8.1f ms of it waiting%s%n",
        router,
        done.count(),
        millis(done.totalNanos(), done.count()),
        millis(done.queueNanos(), done.count()),
        routes.isEmpty() ? "" : "; " + routes);
  }

  private static double millis(long nanos, long count) {
    return count == 0 ? 0 : nanos / 1e6 / count;
  }

  private ObjectNode tree(String server, Survey survey, Optional<String> model) {
    ObjectNode tree = json.createObjectNode();
    tree.put("server", server)
        .put("description", survey.description())
        .put("ready", survey.ready())
        .set("models", json.valueToTree(chosen(survey, model)));
    return tree;
  }
}
