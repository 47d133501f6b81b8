package io.harmonica.cli;

import io.harmonica.deploy.Deployment;
import io.harmonica.router.Router;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code harmonica deploy}: adds a router to running Triton servers. */
final class DeployCommand implements Command {
  @Override
  public String name() {
    return "deploy";
  }

  @Override
  public String summary() {
    return "add a router to running Triton servers";
  }

  @Override
  public List<String> usage() {
    return List.of("--triton HOST:PORT[,...] --model NAME --router FILE [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList place =
        new OptionList()
            .value("triton", TritonOptions.SERVERS, "the servers, by their gRPC ports")
            .value("model", "NAME", "the base model")
            .value("router", "FILE", "the router; its engines must be in the servers' repository")
            .flag(
                "picture",
                "also load what makes a picture in one request, MODEL.ROUTER, for clients without"
                    + " a loop")
            .flag("any-weights", "take a router that was trained on other weights");
    return TritonOptions.declare(place).options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica deploy --triton localhost:8001 --model shapes-dit"
            + " --router export/shapes-dit/routers/fora-2.json",
        "bin/harmonica deploy --triton localhost:8001 --model shapes-dit"
            + " --router export/shapes-dit/routers/fora-2.json --picture");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String model = arguments.requiredText("model");
    Router router = Router.read(arguments.requiredPath("router"));
    TritonOptions.atEach(
        arguments,
        console,
        (address, server) -> {
          Deployment deployment = new Deployment(address, server, model);
          List<String> loaded =
              deployment.deploy(router, arguments.has("any-weights"), arguments.has("picture"));
          console
              .out()
              .printf(
                  "%s has router %s: %s loaded, until it ends%n",
                  address, router.name(), RouterCommands.counted(loaded.size(), "ensemble"));
        });
    return CommandRunner.DONE;
  }
}
