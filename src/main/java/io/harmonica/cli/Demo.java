package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.compare.Generation;
import io.harmonica.compare.Machine;
import io.harmonica.compare.Measurement;
import io.harmonica.compare.Report;
import io.harmonica.compare.Rounds;
import io.harmonica.compare.Variant;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.ContactSheet;
import io.harmonica.generate.Latents;
import io.harmonica.generate.Pictures;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Png;
import io.harmonica.generate.Request;
import io.harmonica.model.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.router.ImageHeatMap;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.runtime.EmbeddedRuntime;
import java.awt.image.BufferedImage;
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
 * @param warmUps rounds before those that count
 * @param seed of the first picture's noise
 * @param progress gets a line for each stage
 */
record Demo(
    Path checkpoint,
    Path repository,
    Path out,
    int rounds,
    int warmUps,
    long seed,
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

  /** A variant before it is measured. */
  private record Plan(
      String name,
      String description,
      String router,
      int steps,
      double cur,
      double theoreticalSpeedup,
      Optional<byte[]> heatMap) {}

  /** Runs it; the files are written when all variants are done. */
  Report run() {
    List<Router> routers = routers();
    if (exportIsStale(routers)) {
      progress.printf("exporting %s to %s%n", checkpoint, repository);
      export(routers);
    }
    try (Pipeline pipeline = Pipeline.open(repository, MODEL)) {
      List<Plan> plans = plans(pipeline, routers);
      progress.printf(
          "making %d pictures in %d ways, %d interleaved rounds of %d%n",
          rounds * PICTURES, plans.size(), rounds, PICTURES);
      List<Variant> variants = new ArrayList<>();
      for (Plan plan : plans) {
        variants.add(new Generation(plan.name(), pipeline, round -> request(plan, round)));
      }
      List<Measurement> measurements = new Rounds(rounds, warmUps, seed).run(variants);
      Report report = report(plans, measurements);
      write(report, measurements);
      return report;
    }
  }

  private List<Plan> plans(Pipeline pipeline, List<Router> routers) {
    List<Plan> plans = new ArrayList<>();
    plans.add(uncached(UNCACHED, STEPS));
    for (Router router : routers) {
      Savings savings =
          Savings.of(router, pipeline.manifest().flops(), pipeline.manifest().branchBytes());
      plans.add(
          new Plan(
              router.name(),
              description(router),
              router.name(),
              router.steps(),
              savings.cur(),
              savings.theoreticalSpeedup().orElseThrow() * STEPS / router.steps(),
              heatMap(router)));
    }
    plans.add(uncached(UNCACHED + "-" + FEWER_STEPS, FEWER_STEPS));
    return plans;
  }

  private static Plan uncached(String name, int steps) {
    return new Plan(
        name,
        steps + " steps, every branch computed",
        Request.NO_ROUTER,
        steps,
        0,
        (double) STEPS / steps,
        Optional.empty());
  }

  /** Pictures of one round follow those of the round before, in noise and in class. */
  private Request request(Plan plan, int round) {
    int first = round * PICTURES;
    List<Integer> classes =
        IntStream.range(first, first + PICTURES).map(i -> i % CLASSES.size()).boxed().toList();
    return Request.of(classes)
        .withRouter(plan.router())
        .withSteps(plan.steps())
        .withGuidance(GUIDANCE)
        .withSeed(seed + first);
  }

  private Report report(List<Plan> plans, List<Measurement> measurements) {
    Measurement a = measurements.get(0);
    List<Report.Entry> entries = new ArrayList<>();
    for (int i = 0; i < plans.size(); i++) {
      Plan plan = plans.get(i);
      Measurement measurement = measurements.get(i);
      entries.add(
          Report.Entry.of(
                  measurement, a, plan.description(), plan.cur(), plan.theoreticalSpeedup(), seed)
              .withImages(Optional.of(sheet(measurement.latents(), 3, false)), plan.heatMap()));
    }
    return new Report(
        "The same shapes with cached branches",
        ("A small Diffusion Transformer draws %d pictures of ten shapes in %d DDIM steps, guidance"
                + " %s. Every variant starts from the same noise; a router says which branches are"
                + " computed at each step, and which reuse or forecast their cached outputs.")
            .formatted(rounds * PICTURES, STEPS, GUIDANCE),
        entries,
        rounds,
        Machine.here(EmbeddedRuntime.version()),
        "bin/harmonica demo --rounds %d --seed %d".formatted(rounds, seed));
  }

  private void write(Report report, List<Measurement> measurements) {
    for (Measurement measurement : measurements) {
      Png.write(sheet(measurement.latents(), 4, true), out.resolve(measurement.name() + ".png"));
    }
    AtomicFile.write(
        out.resolve("demo.json"),
        (report.json().toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
    AtomicFile.write(out.resolve("index.html"), report.page().getBytes(StandardCharsets.UTF_8));
  }

  /** A column a class. */
  private static BufferedImage sheet(Latents latents, int scale, boolean captioned) {
    return new ContactSheet(CLASSES.size(), scale)
        .withColumnCaptions(captioned ? CLASSES : List.of())
        .draw(Pictures.of(latents));
  }

  /** Its table as PNG; none on a machine without fonts, which is no reason to end the demo. */
  private Optional<byte[]> heatMap(Router router) {
    try {
      return Optional.of(ImageHeatMap.png(router));
    } catch (HarmonicaException e) {
      progress.println("no heat map of " + router.name() + ": " + e.getMessage());
      return Optional.empty();
    }
  }

  private static String description(Router router) {
    String interval = router.training().path("interval").asText();
    int order = router.training().path("order").asInt();
    return switch (router.training().path("policy").asText()) {
      case "fora" -> "one step in %s computes, the others reuse".formatted(interval);
      case "taylor" ->
          "one step in %s computes, the others forecast, order %d".formatted(interval, order);
      default -> "a router of %d steps".formatted(router.steps());
    };
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
