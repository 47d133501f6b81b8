package io.harmonica.cli;

import io.harmonica.compare.Report;
import io.harmonica.compare.Speedup;
import io.harmonica.compare.WarmUp;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code harmonica demo}: the whole story in one command, on the shipped example. */
final class DemoCommand implements Command {
  private static final int ROUNDS = Speedup.LEAST_ROUNDS;

  /** The project's folder, which the launcher tells; without it the current one. */
  private static final Path HOME = Path.of(System.getProperty("harmonica.home", ""));

  @Override
  public String name() {
    return "demo";
  }

  @Override
  public String summary() {
    return "make the example's pictures uncached and with every shipped router, and compare";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "[--rounds N] [--seed N] [--model-repository DIR] [--device NAME] [--threads N] [--out DIR]");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value(
                "rounds", "N", "how often each variant makes 8 pictures (default " + ROUNDS + ")")
            .value("seed", "N", "of the first picture's noise (default 0)")
            .value(
                "model-repository",
                "DIR",
                "where the example is, or is to be, exported (default: the project's model_repository)");
    return DeviceOptions.declare(options)
        .value("out", "DIR", "for contact sheets, page and JSON (default demo-output)")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of("bin/harmonica demo", "bin/harmonica demo --rounds 20 --seed 7 --out /tmp/demo");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    DeviceOptions.settleThreads(arguments);
    Path out = arguments.path("out").orElse(Path.of("demo-output"));
    Demo demo =
        new Demo(
            HOME.resolve("export/shapes-dit"),
            arguments.path("model-repository").orElse(HOME.resolve("model_repository")),
            out,
            arguments.integer("rounds", 1, 1000).orElse(ROUNDS),
            WarmUp.fixed(1),
            arguments.wholeNumber("seed").orElse(0L),
            DeviceOptions.device(arguments),
            console.err());
    Report report = demo.run();
    console.out().println(report.table());
    console.out().println("speedup: to uncached, median of the rounds and its 95 % interval");
    console.out().println("realised: its part of the theoretical speedup");
    console.out().println("machine: " + report.machine().line());
    console.out().println("pictures: " + out.resolve("index.html"));
    return CommandRunner.DONE;
  }
}
