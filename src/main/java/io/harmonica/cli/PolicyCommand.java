package io.harmonica.cli;

import io.harmonica.Timesteps;
import io.harmonica.router.DeltaDit;
import io.harmonica.router.Fora;
import io.harmonica.router.Grain;
import io.harmonica.router.Grained;
import io.harmonica.router.Policy;
import io.harmonica.router.RandomReuse;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.TargetSpeedup;
import io.harmonica.router.Taylor;
import io.harmonica.router.Tiers;
import io.harmonica.router.Uncached;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code harmonica policy}: writes a router by a rule, without training. */
final class PolicyCommand implements Command {
  private static final String TARGET = "target-speedup";

  /** Which options each policy has; any other of them would be silently without effect. */
  private static final Map<String, List<String>> POLICIES = new LinkedHashMap<>();

  static {
    POLICIES.put("fora", List.of("interval", "grain", TARGET, Family.TIERS));
    POLICIES.put("taylor", List.of("interval", "order", "grain", TARGET, Family.TIERS));
    POLICIES.put("delta-dit", List.of("interval", "cur", "boundary", TARGET, Family.TIERS));
    POLICIES.put("random", List.of("cur", "seed", TARGET, Family.TIERS));
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
        "fora --checkpoint PATH --steps N [--interval K | --target-speedup X | --tiers X,Y,...] [--grain GRAIN] --out ROUTER.json",
        "taylor --checkpoint PATH --steps N [--interval K | --target-speedup X | --tiers X,Y,...] [--order 0|1|2] [--grain GRAIN] --out ROUTER.json",
        "delta-dit --checkpoint PATH --steps N [[--interval K] [--cur X] [--boundary B] | --target-speedup X | --tiers X,Y,...] --out ROUTER.json",
        "random --checkpoint PATH --steps N [--cur X | --target-speedup X | --tiers X,Y,...] [--seed N] --out ROUTER.json",
        "none --checkpoint PATH --steps N --out ROUTER.json");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value("checkpoint", "PATH", "the model: a diffusers folder, or an original .pt file");
    OptionList all =
        CheckpointOptions.declareForRouters(options)
            .value("steps", "N", "denoising steps of the trajectory, 1..1000")
            .value(
                "interval",
                "K",
                "every K-th step computes everything (default 2); fora and taylor also take fractions")
            .value("order", "0|1|2", "taylor: order of the forecast; 0 is fora (default 1)")
            .value(
                "grain",
                "branch|run|model",
                "fora, taylor: what is reused as one: each branch's output (default), what each block"
                    + " changes, or what all blocks change together, with a tenth of the cache and"
                    + " without their calls")
            .value(
                "boundary",
                "B",
                "delta-dit: the step from which on front blocks are skipped, before it back blocks"
                    + " (default: half the steps)")
            .value(
                "cur",
                "X",
                "share of branch executions to reuse: exact for random (default 0.5), the nearest"
                    + " reachable for delta-dit (default: half the blocks are skipped)")
            .value(
                TARGET,
                "X",
                "the theoretical speedup to come nearest to, instead of --interval and --cur")
            .value("seed", "N", "random: which choice (default 0)")
            .value(
                "sampler",
                "NAME",
                "the sampler it is for: "
                    + String.join(", ", Sampler.NAMES)
                    + " (default: the model's)")
            .value("spacing", RouterCommands.SPACING_WORDS, RouterCommands.SPACING)
            .value("name", "NAME", "the router's name (default: that of the file)")
            .value("out", "ROUTER.json", "the file to write");
    return Family.declare(all).options();
  }

  @Override
  public List<String> arguments() {
    return List.of(String.join("|", POLICIES.keySet()));
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica policy taylor --checkpoint export/shapes-dit --steps 20 --out taylor2.json",
        "bin/harmonica policy random --checkpoint export/shapes-dit --steps 20 --cur 0.4 --out r.json",
        "bin/harmonica policy fora --checkpoint export/shapes-dit --steps 20 --target-speedup 1.5"
            + " --out fora.json",
        "bin/harmonica policy taylor --checkpoint export/shapes-dit --steps 20 --order 2 --tiers 1.3,1.5,2.0"
            + " --out family.json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String word = arguments.argument(0);
    Arguments.requireChoice("policy", word, List.copyOf(POLICIES.keySet()));
    requireItsOptions(word, arguments);
    int steps = arguments.requiredInteger("steps", 1, 1000);
    Optional<String> stated = RouterCommands.sampler(arguments);
    Optional<Spacing> spacing = RouterCommands.spacing(arguments);
    List<Family.Member> family = Family.of(arguments);
    try {
      checkOptions(word, arguments);
      Grain grain = grain(arguments);
      ModelCard model = RouterCommands.checkpoint(models, arguments);
      String sampler = stated.orElseGet(model.sampling()::sampler);
      Timesteps timesteps = RouterCommands.timesteps(model, sampler, steps, spacing);
      for (Family.Member member : family) {
        Optional<Double> speedup = member.speedup().or(() -> arguments.decimal(TARGET, 1, 1000));
        Policy policy = Grained.of(policy(word, arguments, model, steps, speedup), grain);
        Router router =
            policy.router(
                member.name(), model.architecture(), sampler, timesteps, model.branches());
        member.tier().ifPresent(tier -> router.training().put(Tiers.FIELD, tier));
        Savings reached = RouterCommands.write(router, model, member.out(), console);
        noteNearest(reached, arguments.decimal("cur", 0, 1), speedup, console);
      }
      return CommandRunner.DONE;
    } catch (IllegalArgumentException e) { // a policy's own bounds: "interval is 0, expected ..."
      throw new UsageException("--" + e.getMessage());
    }
  }

  private static void noteNearest(
      Savings reached, Optional<Double> cur, Optional<Double> speedup, Console console) {
    cur.filter(asked -> Math.abs(asked - reached.cur()) >= 0.0005)
        .ifPresent(asked -> noteNearest("CUR", reached.cur(), asked, console));
    double own = reached.theoreticalSpeedup().orElseThrow();
    speedup
        .filter(asked -> Math.abs(asked - own) >= 0.01 * asked)
        .ifPresent(asked -> noteNearest("theoretical speedup", own, asked, console));
  }

  private static void noteNearest(String what, double reached, double asked, Console console) {
    console.note(
        String.format(
            Locale.ROOT, "%s %.3f is the nearest to %s that can be reached", what, reached, asked));
  }

  /** Faults of the options alone, before the checkpoint is read. */
  private static void checkOptions(String word, Arguments arguments) {
    if (arguments.has(Family.TIERS)) {
      return; // which refuses all that they leave out
    }
    if (arguments.has(TARGET)) {
      arguments.refuseBoth(TARGET, "interval");
      arguments.refuseBoth(TARGET, "cur");
      arguments.refuseBoth(TARGET, "boundary");
      arguments.decimal(TARGET, 1, 1000);
    } else {
      untargeted(word, arguments);
    }
  }

  private static Policy policy(
      String word, Arguments arguments, ModelCard model, int steps, Optional<Double> speedup) {
    if (speedup.isEmpty()) {
      return untargeted(word, arguments);
    }
    TargetSpeedup target = new TargetSpeedup(speedup.get(), model.flops(), steps, model.branches());
    return switch (word) {
      case "fora" -> target.fora();
      case "taylor" -> target.taylor(order(arguments));
      case "delta-dit" -> target.deltaDit();
      case "random" -> target.random(seed(arguments));
      default -> throw new IllegalStateException("policy " + word + " takes no " + TARGET);
    };
  }

  private static Policy untargeted(String word, Arguments arguments) {
    return switch (word) {
      case "none" -> new Uncached();
      case "fora" -> new Fora(arguments.decimal("interval", 1, 1000).orElse(2.0));
      case "taylor" ->
          new Taylor(arguments.decimal("interval", 1, 1000).orElse(2.0), order(arguments));
      case "delta-dit" ->
          new DeltaDit(
              arguments.integer("interval", 1, 1000).orElse(2),
              arguments.decimal("cur", 0, 1).orElse(null),
              arguments.integer("boundary", 0, 1000).orElse(null));
      case "random" -> new RandomReuse(arguments.decimal("cur", 0, 1).orElse(0.5), seed(arguments));
      default -> throw new IllegalStateException("policy " + word + " is not made here");
    };
  }

  private static Grain grain(Arguments arguments) {
    List<String> names = Arrays.stream(Grain.values()).map(Grain::toString).toList();
    return Grain.values()[names.indexOf(arguments.choice("grain", names).orElse("branch"))];
  }

  private static int order(Arguments arguments) {
    return arguments.integer("order", 0, 2).orElse(1);
  }

  private static long seed(Arguments arguments) {
    return arguments.wholeNumber("seed").orElse(0L);
  }

  private static void requireItsOptions(String word, Arguments arguments) {
    for (String option :
        List.of("interval", "order", "grain", "cur", "boundary", "seed", TARGET, Family.TIERS)) {
      if (!POLICIES.get(word).contains(option)) {
        arguments.refuse(option, "on policy " + word);
      }
    }
  }
}
