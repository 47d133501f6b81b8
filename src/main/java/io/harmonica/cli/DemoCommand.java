package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.compare.Report;
import io.harmonica.compare.Speedup;
import io.harmonica.compare.WarmUp;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code harmonica demo}: the whole story in one command, on the shipped examples. */
final class DemoCommand implements Command {
  private static final int ROUNDS = Speedup.LEAST_ROUNDS;

  /** Of texts that somebody typed: they want to see pictures, soon. */
  private static final int ROUNDS_OF_PROMPTS = 1;

  /** The project's folder, which the launcher tells; without it the current one. */
  private static final Path HOME = Path.of(System.getProperty("harmonica.home", ""));

  @Override
  public String name() {
    return "demo";
  }

  @Override
  public String summary() {
    return "make the examples' pictures uncached and with every shipped router, and compare";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "[--rounds N] [--seed N] [--model-repository DIR] [--device NAME] [--threads N] [--out DIR]",
        "--prompt TEXT [--prompt TEXT]... [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value("prompt", "TEXT", "draw this with the example that draws texts; may be repeated")
            .value(
                "rounds",
                "N",
                "how often each variant makes 8 pictures (default %d; %d with --prompt)"
                    .formatted(ROUNDS, ROUNDS_OF_PROMPTS))
            .value("seed", "N", "of the first picture's noise (default 0)")
            .value(
                "model-repository",
                "DIR",
                "where the examples are, or are to be, exported (default: the project's model_repository)");
    return DeviceOptions.declare(options)
        .value("out", "DIR", "for contact sheets, page and JSON (default demo-output)")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica demo",
        "bin/harmonica demo --prompt 'two green squares above a red circle'",
        "bin/harmonica demo --rounds 20 --seed 7 --out /tmp/demo");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    DeviceOptions.settleThreads(arguments);
    Path out = arguments.path("out").orElse(Path.of("demo-output"));
    List<String> prompts = arguments.texts("prompt");
    List<Example> examples =
        prompts.isEmpty()
            ? List.of(Example.SHAPES, Example.SCENES)
            : List.of(Example.SCENES.drawing(prompts));
    Demo.Run run =
        new Demo.Run(
            arguments
                .integer("rounds", 1, 1000)
                .orElse(prompts.isEmpty() ? ROUNDS : ROUNDS_OF_PROMPTS),
            WarmUp.fixed(1),
            arguments.wholeNumber("seed").orElse(0L),
            ("bin/harmonica demo " + arguments.words()).strip());
    List<Report> reports = new ArrayList<>();
    for (Example example : examples) {
      Demo demo =
          new Demo(
              example,
              HOME.resolve("export").resolve(example.name()),
              arguments.path("model-repository").orElse(HOME.resolve("model_repository")),
              run,
              DeviceOptions.device(arguments),
              console.err());
      Report report = demo.report();
      demo.write(report, out.resolve(example.name()));
      reports.add(report);
      console.out().println(example.name());
      console.out().println(report.table());
    }
    AtomicFile.write(
        out.resolve("index.html"), Report.page(reports).getBytes(StandardCharsets.UTF_8));
    console.out().println("speedup: to uncached, median of the rounds and its 95 % interval");
    console.out().println("realised: its part of the theoretical speedup");
    console.out().println("machine: " + reports.get(0).machine().line());
    console.out().println("pictures: " + out.resolve("index.html"));
    return CommandRunner.DONE;
  }
}
