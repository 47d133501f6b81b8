package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.compare.Comparison;
import io.harmonica.compare.Load;
import io.harmonica.compare.Machine;
import io.harmonica.compare.Outcome;
import io.harmonica.compare.Report;
import io.harmonica.compare.Rounds;
import io.harmonica.compare.Setting;
import io.harmonica.compare.Subjects;
import io.harmonica.compare.WarmUp;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Style;
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
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The whole story on a shipped example: exports it, makes the same pictures with every branch
 * computed and with each shipped router, and compares them.
 *
 * @param checkpoint the example's folder, with its routers in the folder {@code routers}
 * @param repository where it is, or is to be, exported
 * @param run how often, of which noise
 * @param device what computes
 * @param progress gets a line for each stage
 */
record Demo(
    Example example,
    Path checkpoint,
    Path repository,
    Run run,
    Device device,
    PrintStream progress) {
  private static final String UNCACHED = "uncached";
  private static final int PICTURES = 8; // doubled by guidance: the largest batch of the engines

  /**
   * How often, of which noise.
   *
   * @param rounds how often each variant makes {@value #PICTURES} pictures
   * @param warmUp rounds before those that count
   * @param seed of the first picture's noise
   * @param command that repeats it
   */
  record Run(int rounds, WarmUp warmUp, long seed, String command) {}

  /** Runs it. */
  Report report() {
    requireAllDrawn();
    example.requireKnownWords(checkpoint);
    List<Router> routers = routers();
    if (exportIsStale(routers)) {
      progress.printf("exporting %s to %s%n", checkpoint, repository);
      example.export(checkpoint, routers, repository);
    }
    List<Setting> settings = new ArrayList<>();
    settings.add(setting(UNCACHED, Request.NO_ROUTER, example.steps()));
    routers.stream()
        .filter(router -> router.sampler().equals(example.sampler()))
        .forEach(router -> settings.add(setting(router.name(), router.name(), router.steps())));
    int fewer = example.fewerSteps();
    settings.add(setting(UNCACHED + "-" + fewer, Request.NO_ROUTER, fewer));
    try (Comparison comparison = Comparison.open(settings, ServerOptions.DEFAULTS)) {
      Comparison.Plan plan =
          new Comparison.Plan(
              new Rounds(run.rounds(), run.warmUp(), Load.ONE_BY_ONE, run.seed()),
              subjects(),
              PICTURES);
      comparison.requireRuns(plan);
      progress.printf(
          "making %d pictures in %d ways, %d interleaved rounds of %d%n",
          run.rounds() * PICTURES, settings.size(), run.rounds(), PICTURES);
      Outcome outcome = comparison.run(plan, Rounds.SILENT, () -> false);
      return report(comparison, plan, outcome);
    }
  }

  private void requireAllDrawn() {
    int texts = example.subjects().size();
    if (example.drawsTexts() && texts > run.rounds() * PICTURES) {
      throw new UsageException(
          "--prompt: %d texts, and the %d pictures that are made would leave some out: give --rounds %d"
              .formatted(texts, run.rounds() * PICTURES, (texts + PICTURES - 1) / PICTURES));
    }
  }

  private Subjects subjects() {
    List<Integer> indices = IntStream.range(0, example.subjects().size()).boxed().toList();
    Optional<Function<Pipeline, Content>> texts =
        Optional.of(
            pipeline ->
                pipeline.prompts(
                    example.subjects(), "", warning -> progress.println("warning: " + warning)));
    return new Subjects(
        indices,
        texts.filter(some -> example.drawsTexts()),
        Optional.empty(),
        PICTURES,
        run.seed());
  }

  private Setting setting(String name, String router, int steps) {
    Style style =
        Style.DEFAULT.withRouter(router).withSteps(steps).withGuidance(example.guidance());
    return new Setting(
        name,
        repository.toString(),
        false,
        example.name(),
        style,
        OptionalInt.empty(),
        OptionalInt.empty(),
        false,
        device);
  }

  private Report report(Comparison comparison, Comparison.Plan plan, Outcome outcome) {
    String texts =
        example.drawsTexts()
            ? " The texts, from left to right: “%s”."
                .formatted(String.join("”, “", example.subjects()))
            : "";
    return new Report(
        example.title(),
        (example.summary()
                + " in %d steps, guidance %s. Every variant starts from the same noise; a router"
                + " says which branches are computed at each step, and which reuse or forecast"
                + " their cached outputs.%s")
            .formatted(run.rounds() * PICTURES, example.steps(), example.guidance(), texts),
        run.command(),
        plan,
        outcome,
        comparison.entries(plan, outcome, Optional.empty()),
        Machine.here(comparison.runtimes()),
        List.of());
  }

  /** Writes a contact sheet for each variant, and the numbers. */
  void write(Report report, Path folder) {
    ContactSheet sheet = new ContactSheet(Math.max(PICTURES, example.subjects().size()), 4);
    if (!example.drawsTexts()) { // texts are too long for captions
      sheet = sheet.withColumnCaptions(example.subjects());
    }
    for (Report.Entry entry : report.variants()) {
      Png.write(
          sheet.draw(Pictures.of(entry.measurement().latents())),
          folder.resolve(entry.name() + ".png"));
    }
    AtomicFile.write(
        folder.resolve("demo.json"),
        (report.json().toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private List<Router> routers() {
    return files(checkpoint.resolve("routers")).stream()
        .filter(file -> file.toString().endsWith(".json"))
        .map(Router::read)
        .toList();
  }

  /** Whether the repository lacks the example or one of its routers, or the example has changed. */
  boolean exportIsStale(List<Router> routers) {
    Path config = repository.resolve(example.name()).resolve(ConfigFile.NAME);
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
