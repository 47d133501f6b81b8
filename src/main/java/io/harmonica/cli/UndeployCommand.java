package io.harmonica.cli;

import io.harmonica.deploy.Deployment;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code harmonica undeploy}: takes a router off running Triton servers. */
final class UndeployCommand implements Command {
  @Override
  public String name() {
    return "undeploy";
  }

  @Override
  public String summary() {
    return "take a router off running Triton servers";
  }

  @Override
  public List<String> usage() {
    return List.of("--triton HOST:PORT[,...] --model NAME --router NAME [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList place =
        new OptionList()
            .value("triton", TritonOptions.SERVERS, "the servers, by their gRPC ports")
            .value("model", "NAME", "the base model")
            .value("router", "NAME", "the router; trajectories on their way with it fail");
    return TritonOptions.declare(place).options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica undeploy --triton localhost:8001 --model shapes-dit --router fora-2");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String model = arguments.requiredText("model");
    String router = arguments.requiredText("router");
    TritonOptions.atEach(
        arguments,
        console,
        (address, server) -> {
          List<String> unloaded = new Deployment(address, server, model).undeploy(router);
          console
              .out()
              .printf(
                  "%s has router %s no more: %s unloaded%n",
                  address, router, RouterCommands.counted(unloaded.size(), "ensemble"));
        });
    return CommandRunner.DONE;
  }
}
