package io.harmonica.cli;

import io.harmonica.router.DeltaDit;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.RandomReuse;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.router.Uncached;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code harmonica policy}: writes a router by a rule, without training. */
final class PolicyCommand implements Command {
  /** Which options each policy has; any other of them would be silently without effect. */
  private static final Map<String, List<String>> POLICIES = new LinkedHashMap<>();

  static {
    POLICIES.put("fora", List.of("interval"));
    POLICIES.put("taylor", List.of("interval", "order"));
    POLICIES.put("delta-dit", List.of("interval", "cur"));
    POLICIES.put("random", List.of("cur", "seed"));
    POLICIES.put("none", List.of());
  }

  private final Models models;

  PolicyCommand(Models models) {
    this.models = models;
  }

  @Override
  public String name() {
    return "policy";
  }

  @Override
  public String summary() {
    return "write a router by a rule, without training";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "fora --checkpoint PATH --steps N [--interval K] --out ROUTER.json",
        "taylor --checkpoint PATH --steps N [--interval K] [--order 0|1|2] --out ROUTER.json",
        "delta-dit --checkpoint PATH --steps N [--interval K] [--cur X] --out ROUTER.json",
        "random --checkpoint PATH --steps N [--cur X] [--seed N] --out ROUTER.json",
        "none --checkpoint PATH --steps N --out ROUTER.json");
  }

  @Override
  public Options options() {
    return new OptionList()
        .value("checkpoint", "PATH", "the model: a diffusers folder, or a DiT .pt file")
        .value("heads", "N", "attention heads, where a .pt file is of no published size")
        .value("steps", "N", "denoising steps of the trajectory, 1..1000")
        .value("interval", "K", "every K-th step computes everything (default 2)")
        .value("order", "0|1|2", "taylor: order of the forecast; 0 is fora (default 1)")
        .value(
            "cur",
            "X",
            "share of branch executions to reuse: exact for random (default 0.5), the nearest"
                + " reachable for delta-dit (default: half the blocks are skipped)")
        .value("seed", "N", "random: which choice (default 0)")
        .value(
            "sampler",
            "NAME",
            "the sampler it is for: "
                + String.join(", ", Sampler.NAMES)
                + " (default: the model's)")
        .value(
            "spacing",
            "leading|openai",
            "timesteps as diffusers or as the original DiT space them (default: by the checkpoint's"
                + " layout); dpm-solver++ and sa-solver have linspace")
        .value("name", "NAME", "the router's name (default: that of the file)")
        .value("out", "ROUTER.json", "the file to write")
        .options();
  }

  @Override
  public List<String> arguments() {
    return List.of(String.join("|", POLICIES.keySet()));
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica policy taylor --checkpoint export/shapes-dit --steps 20 --out taylor2.json",
        "bin/harmonica policy random --checkpoint export/shapes-dit --steps 20 --cur 0.4 --out r.json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String word = arguments.argument(0);
    Arguments.requireChoice("policy", word, List.copyOf(POLICIES.keySet()));
    requireItsOptions(word, arguments);
    int steps = arguments.requiredInteger("steps", 1, 1000);
    Optional<String> stated = RouterCommands.sampler(arguments);
    Optional<Spacing> spacing = RouterCommands.spacing(arguments);
    String name = RouterCommands.name(arguments);
    try {
      Policy policy = policy(word, arguments);
      ModelCard model = RouterCommands.checkpoint(models, arguments);
      String sampler = stated.orElse(model.sampler());
      List<Integer> timesteps = RouterCommands.timesteps(models, model, sampler, steps, spacing);
      Router router =
          policy.router(name, model.architecture(), sampler, timesteps, model.branches());
      double reached = RouterCommands.write(router, model, arguments, console).cur();
      arguments
          .decimal("cur", 0, 1)
          .filter(asked -> Math.abs(asked - reached) >= 0.0005)
          .ifPresent(
              asked ->
                  console
                      .err()
                      .printf(
                          Locale.ROOT,
                          "note: CUR %.3f is the nearest to %s that can be reached%n",
                          reached,
                          asked));
      return CommandRunner.DONE;
    } catch (IllegalArgumentException e) { // a policy's own bounds: "interval is 0, expected ..."
      throw new UsageException("--" + e.getMessage());
    }
  }

  private static Policy policy(String word, Arguments arguments) {
    int interval = arguments.integer("interval", 1, 1000).orElse(2);
    return switch (word) {
      case "none" -> new Uncached();
      case "fora" -> new Fora(interval);
      case "taylor" -> new Taylor(interval, arguments.integer("order", 0, 2).orElse(1));
      case "delta-dit" -> new DeltaDit(interval, arguments.decimal("cur", 0, 1).orElse(null));
      default ->
          new RandomReuse(
              arguments.decimal("cur", 0, 1).orElse(0.5), arguments.wholeNumber("seed").orElse(0L));
    };
  }

  private static void requireItsOptions(String word, Arguments arguments) {
    for (String option : List.of("interval", "order", "cur", "seed")) {
      if (!POLICIES.get(word).contains(option)) {
        arguments.refuse(option, "on policy " + word);
      }
    }
  }
}
