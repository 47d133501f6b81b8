package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.compare.Comparison;
import io.harmonica.compare.Gate;
import io.harmonica.compare.Judge;
import io.harmonica.compare.Load;
import io.harmonica.compare.Machine;
import io.harmonica.compare.Outcome;
import io.harmonica.compare.Report;
import io.harmonica.compare.Rounds;
import io.harmonica.compare.Setting;
import io.harmonica.compare.Speedup;
import io.harmonica.compare.WarmUp;
import io.harmonica.features.FeatureNetwork;
import io.harmonica.features.FeatureStatistics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.Options;

/** {@code harmonica compare}: measures variants of a generation against each other. */
final class CompareCommand implements Command {
  private static final int ROUNDS = 20;

  /** What variants may leave to the command's own options. */
  private static final List<String> COMMON =
      List.of(
          "model-repository",
          DeviceOptions.DEVICE,
          "triton",
          "model",
          "steps",
          "sampler",
          "spacing",
          "guidance",
          "guidance-channels",
          "true-cfg");

  @Override
  public String name() {
    return "compare";
  }

  @Override
  public String summary() {
    return "measure variants against each other: speed, quality, a page, gates for CI";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "(--model-repository DIR | --triton HOST:PORT) --model NAME --a none --b ROUTER [--c ...]"
            + " [OPTIONS]",
        "--variants FILE.json [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList place =
        new OptionList()
            .value("model-repository", "DIR", "run this repository here, without a server")
            .value("triton", TritonOptions.SERVERS, "use Triton servers by their gRPC ports");
    OptionList options =
        TritonOptions.declareForTrajectories(DeviceOptions.declare(place))
            .value("model", "NAME", "the base model")
            .value(
                "a",
                "VARIANT",
                "what the others are compared to: a router's name or none, key=value pairs, or both, with"
                    + " commas between them. Keys: "
                    + String.join(", ", Setting.FIELDS)
                    + "; what it leaves out, the options here say");
    VariantOptions.LETTERS.stream()
        .skip(1)
        .forEach(letter -> options.value(letter, "VARIANT", "another variant"));
    options
        .value("variants", "FILE", "all of them instead: a JSON array of such words or objects")
        .value(
            "classes",
            "0,1",
            "class labels of a request's pictures (default: 4 pictures, going through all classes)")
        .value("prompt", "TEXT", "a text to draw, on models with a text encoder; may be repeated")
        .value("prompts", "FILE", "the same, one a line");
    return PromptOptions.options(options)
        .value("text-embeddings", "FILE", "texts embedded elsewhere, as generate takes them")
        .value(
            "pictures",
            "N",
            "pictures of a request, on models that take neither classes nor texts (default 4)")
        .value("steps", "N", "denoising steps (default: the router's, else 20)")
        .value("sampler", "NAME", "of all (default: the router's, else the model's)")
        .value("spacing", "leading|openai", "spacing of timesteps (default: the model's origin)")
        .value(
            "guidance",
            "X",
            "scale of classifier-free guidance (default: the model's, mostly 1.5, of texts 4.5);"
                + " 1: none")
        .value("guidance-channels", "N", "channels it acts on (default: the model's origin)")
        .value(
            "true-cfg",
            "X",
            "scale of classifier-free guidance of a model that is told --guidance (FLUX.1 dev): a"
                + " second row leads away from the negative prompt")
        .value("rounds", "N", "rounds that count (default " + ROUNDS + ")")
        .value(
            "warm-up",
            "auto|N",
            "rounds before them; auto, the default: until none is 5 % faster than its best before")
        .value("requests", "N", "requests of a round (default: 1; under load 10)")
        .value("concurrency", "N", "requests in flight (default 1)")
        .value(
            "rate", "R", "requests due a second, at random, open loop: waiting counts from then on")
        .value("seed", "N", "of noise, orders and arrivals (default 0)")
        .value(
            "latents",
            "FILE",
            "start from these instead of seeded noise: safetensors with fp32 latents [n, c, h, w],"
                + " one for each of the classes or texts")
        .value(
            "features",
            "MODEL.onnx",
            "a network that judges the pictures: Fréchet distance, and class accuracy if it has"
                + " logits; see `harmonica features`")
        .value("reference", "STATS", "distances are to these statistics (default: to A's pictures)")
        .value(
            "fail-if",
            "EXPR",
            "exit with 1 where it holds, for example 'b.speedup < 1.2 || b.psnr < 30'; repeatable")
        .value("json", "FILE", "write the numbers")
        .value("report", "FILE.html", "write one page with numbers, pictures and drawings")
        .value("junit", "FILE.xml", "write variants and gates as test cases")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica compare --model-repository model_repository --model shapes-dit --a none"
            + " --b taylor-2 --report /tmp/compare.html",
        "bin/harmonica compare --model-repository model_repository --model shapes-dit"
            + " --a steps=14 --b taylor-2 --c triton=localhost:8001,router=taylor-2"
            + " --fail-if 'b.speedup < 1.2'",
        "bin/harmonica compare --model-repository model_repository --model shapes-dit --a device=cpu"
            + " --b device=openvino");
  }

  @Override
  public int run(Arguments arguments, Console console) throws IOException {
    arguments.refuseBoth("concurrency", "rate");
    if (!arguments.has("concurrency") && !arguments.has("rate")) {
      arguments.refuse("per-server", "without --concurrency or --rate");
    }
    if (!arguments.has("features")) {
      arguments.refuse("reference", "without --features");
    }
    arguments.path("latents").ifPresent(file -> OutputPaths.requireTensorName("latents", file));
    List<Setting> settings = VariantOptions.settings(arguments, common(arguments));
    if (settings.stream().noneMatch(Setting::served)) {
      TritonOptions.refuseAll(arguments, "without a variant on Triton");
    }
    if (settings.stream().allMatch(Setting::served)) {
      DeviceOptions.refuseAll(arguments, "with --triton: its servers compute");
    }
    DeviceOptions.settleThreads(arguments);
    List<Path> files = new ArrayList<>();
    for (String file : List.of("json", "report", "junit")) {
      Optional<Path> path = arguments.path(file);
      path.ifPresent(one -> OutputPaths.requireFile(file, one));
      path.ifPresent(files::add);
    }
    Optional<FeatureStatistics> reference =
        arguments.path("reference").map(FeatureStatistics::read);
    Rounds rounds =
        new Rounds(
            arguments.integer("rounds", 1, 1_000_000).orElse(ROUNDS),
            warmUp(arguments),
            load(arguments),
            arguments.wholeNumber("seed").orElse(0L));
    try (Comparison comparison = Comparison.open(settings, TritonOptions.of(arguments, console));
        FeatureNetwork network =
            arguments.path("features").map(FeatureNetwork::open).orElse(null)) {
      Optional<Judge> judge = Optional.ofNullable(network).map(n -> new Judge(n, reference));
      List<Gate> gates = gates(arguments, comparison, rounds);
      Comparison.Plan plan = new SubjectOptions(arguments, comparison, console).plan(rounds);
      comparison.requireRuns(plan);
      judge.ifPresent(one -> comparison.requireFits(one, plan));
      return Interrupt.guarding(
          stop -> {
            ComparisonBar progress = new ComparisonBar(rounds, comparison.names(), console);
            Outcome outcome = comparison.run(plan, progress, stop);
            progress.close();
            Report report = report(comparison, plan, outcome, judge, arguments).judgedBy(gates);
            write(report, arguments);
            tell(report, arguments, console);
            return report.isFine() ? CommandRunner.DONE : CommandRunner.FAILED;
          });
    }
  }

  private static Map<String, String> common(Arguments arguments) {
    arguments.refuseBoth("model-repository", "triton");
    Map<String, String> common = new LinkedHashMap<>();
    for (String option : COMMON) {
      arguments.text(option).ifPresent(value -> common.put(option, value));
    }
    return common;
  }

  private static WarmUp warmUp(Arguments arguments) {
    return arguments.text("warm-up").orElse("auto").equals("auto")
        ? WarmUp.UNTIL_STABLE
        : WarmUp.fixed(arguments.requiredInteger("warm-up", 0, 1000));
  }

  private static Load load(Arguments arguments) {
    if (arguments.has("rate")) {
      return Load.rate(arguments.decimal("rate", 1e-6, 1e6).orElseThrow());
    }
    return arguments.integer("concurrency", 1, 1024).map(Load::concurrency).orElse(Load.ONE_BY_ONE);
  }

  private static List<Gate> gates(Arguments arguments, Comparison comparison, Rounds rounds) {
    List<Gate> gates = new ArrayList<>();
    for (String expression : arguments.texts("fail-if")) {
      Gate gate = Gate.parse(expression, comparison.keysAndNames());
      if (gate.needsInterval() && rounds.count() < Speedup.LEAST_ROUNDS) {
        throw new UsageException(
            "--fail-if '%s' needs an interval, and --rounds %d are too few for one: at least %d"
                .formatted(expression, rounds.count(), Speedup.LEAST_ROUNDS));
      }
      if (gate.needsFeatures() && !arguments.has("features")) {
        throw new UsageException("--fail-if '%s' needs --features".formatted(expression));
      }
      gates.add(gate);
    }
    return gates;
  }

  private static Report report(
      Comparison comparison,
      Comparison.Plan plan,
      Outcome outcome,
      Optional<Judge> judge,
      Arguments arguments) {
    return new Report(
        comparison.names().get(0)
            + " against "
            + String.join(", ", comparison.names().subList(1, comparison.names().size())),
        "%d rounds of %d pictures, %s, %s. Every variant draws the same from the same noise."
            .formatted(
                plan.rounds().count(),
                plan.subjects().perRound(),
                plan.rounds().load().words(),
                comparison.common()),
        "bin/harmonica compare " + arguments.words(),
        plan,
        outcome,
        comparison.entries(plan, outcome, judge),
        Machine.here(comparison.runtimes() + ", " + CommandRunner.version()),
        List.of());
  }

  private static void write(Report report, Arguments arguments) {
    arguments.path("json").ifPresent(f -> write(f, report.json().toPrettyString() + "\n"));
    arguments.path("report").ifPresent(f -> write(f, report.page()));
    arguments.path("junit").ifPresent(f -> write(f, report.junit()));
  }

  private static void write(Path file, String text) {
    AtomicFile.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void tell(Report report, Arguments arguments, Console console) {
    console.out().println(report.table());
    console.out().println(report.conduct());
    console.out().println("machine: " + report.machine().line());
    for (Gate.Verdict verdict : report.verdicts()) {
      console
          .out()
          .printf(
              Locale.ROOT,
              "%s: fail if %s (%s)%n",
              verdict.fired() ? "FAILED" : "passed",
              verdict.expression(),
              verdict.values());
    }
    arguments.path("report").ifPresent(file -> console.out().println("report: " + file));
    report.notes().forEach(note -> console.note(note));
  }
}
