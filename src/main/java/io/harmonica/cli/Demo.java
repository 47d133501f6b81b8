package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.compare.Comparison;
import io.harmonica.compare.Load;
import io.harmonica.compare.Machine;
import io.harmonica.compare.Outcome;
import io.harmonica.compare.Report;
import io.harmonica.compare.Rounds;
import io.harmonica.compare.Setting;
import io.harmonica.compare.Subjects;
import io.harmonica.compare.WarmUp;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Request;
import io.harmonica.generate.Style;
import io.harmonica.origin.Model;
import io.harmonica.picture.ContactSheet;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Router;
import io.harmonica.runtime.Device;
import io.harmonica.triton.ServerOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The whole story on the shipped example: exports it, makes the same pictures with every branch
 * computed and with each shipped router, and writes the comparison.
 *
 * @param checkpoint the example, with its routers in the folder {@code routers}
 * @param repository where it is, or is to be, exported
 * @param out folder of the contact sheets, the page and the JSON
 * @param rounds how often each variant makes {@value #PICTURES} pictures
 * @param warmUp rounds before those that count
 * @param seed of the first picture's noise
 * @param device what computes
 * @param progress gets a line for each stage
 */
record Demo(
    Path checkpoint,
    Path repository,
    Path out,
    int rounds,
    WarmUp warmUp,
    long seed,
    Device device,
    PrintStream progress) {
  private static final String MODEL = "shapes-dit";
  private static final String UNCACHED = "uncached";
  private static final int STEPS = 20;
  private static final int FEWER_STEPS = 10;
  private static final double GUIDANCE = 1.5;
  private static final int PICTURES = 8; // doubled by guidance: the largest batch of the engines
  private static final List<String> CLASSES =
      List.of(
          "circle",
          "square",
          "triangle",
          "star",
          "heart",
          "cross",
          "ring",
          "crescent",
          "hexagon",
          "arrow");

  /** Runs it; the files are written when all variants are done. */
  Report run() {
    List<Router> routers = routers();
    if (exportIsStale(routers)) {
      progress.printf("exporting %s to %s%n", checkpoint, repository);
      export(routers);
    }
    List<Setting> settings = new ArrayList<>();
    settings.add(setting(UNCACHED, Request.NO_ROUTER, STEPS));
    routers.forEach(router -> settings.add(setting(router.name(), router.name(), router.steps())));
    settings.add(setting(UNCACHED + "-" + FEWER_STEPS, Request.NO_ROUTER, FEWER_STEPS));
    try (Comparison comparison = Comparison.open(settings, ServerOptions.DEFAULTS)) {
      List<Integer> classes = IntStream.range(0, CLASSES.size()).boxed().toList();
      Comparison.Plan plan =
          new Comparison.Plan(
              new Rounds(rounds, warmUp, Load.ONE_BY_ONE, seed),
              new Subjects(classes, PICTURES, seed),
              PICTURES);
      progress.printf(
          "making %d pictures in %d ways, %d interleaved rounds of %d%n",
          rounds * PICTURES, settings.size(), rounds, PICTURES);
      Outcome outcome = comparison.run(plan, Rounds.SILENT, () -> false);
      Report report = report(comparison, plan, outcome);
      write(report);
      return report;
    }
  }

  private Setting setting(String name, String router, int steps) {
    Style style = Style.DEFAULT.withRouter(router).withSteps(steps).withGuidance(GUIDANCE);
    return new Setting(
        name,
        repository.toString(),
        false,
        MODEL,
        style,
        OptionalInt.empty(),
        OptionalInt.empty(),
        false,
        device);
  }

  private Report report(Comparison comparison, Comparison.Plan plan, Outcome outcome) {
    return new Report(
        "The same shapes with cached branches",
        ("A small Diffusion Transformer draws %d pictures of ten shapes in %d DDIM steps, guidance"
                + " %s. Every variant starts from the same noise; a router says which branches are"
                + " computed at each step, and which reuse or forecast their cached outputs.")
            .formatted(rounds * PICTURES, STEPS, GUIDANCE),
        "bin/harmonica demo --rounds %d --seed %d%s"
            .formatted(rounds, seed, device.equals(Device.CPU) ? "" : " --device " + device),
        plan,
        outcome,
        comparison.entries(plan, outcome, Optional.empty()),
        Machine.here(comparison.runtimes()),
        List.of());
  }

  private void write(Report report) {
    ContactSheet sheet = new ContactSheet(CLASSES.size(), 4).withColumnCaptions(CLASSES);
    for (Report.Entry entry : report.variants()) {
      Png.write(
          sheet.draw(Pictures.of(entry.measurement().latents())),
          out.resolve(entry.name() + ".png"));
    }
    AtomicFile.write(
        out.resolve("demo.json"),
        (report.json().toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
    AtomicFile.write(out.resolve("index.html"), report.page().getBytes(StandardCharsets.UTF_8));
  }

  private List<Router> routers() {
    return files(checkpoint.resolve("routers")).stream()
        .filter(file -> file.toString().endsWith(".json"))
        .map(Router::read)
        .toList();
  }

  /** Whether the repository lacks the example or one of its routers, or the example has changed. */
  boolean exportIsStale(List<Router> routers) {
    Path config = repository.resolve(MODEL).resolve(ConfigFile.NAME);
    if (!Files.exists(config)) {
      return true;
    }
    Optional<Set<String>> exported = exportedRouters(config);
    return exported.isEmpty()
        || !exported.get().containsAll(routers.stream().map(Router::name).toList())
        || files(checkpoint).stream()
            .anyMatch(file -> changed(file).compareTo(changed(config)) > 0);
  }

  /** None where another version of the program wrote the export, or somebody changed it. */
  private static Optional<Set<String>> exportedRouters(Path config) {
    try {
      return Optional.of(Manifest.of(ConfigFile.read(config.getParent())).routers().keySet());
    } catch (HarmonicaException e) {
      return Optional.empty();
    }
  }

  private void export(List<Router> routers) {
    try (Checkpoint weights = Checkpoint.open(checkpoint)) {
      Model model = Model.of(weights, OptionalInt.empty());
      new Exporter(model, routers, ExportOptions.of(MODEL).withForce(true)).export(repository);
    }
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read the example in %s: restore that folder of the project".formatted(folder), e);
    }
  }

  private static FileTime changed(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }
}
