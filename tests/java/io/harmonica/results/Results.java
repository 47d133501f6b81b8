package io.harmonica.results;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.compare.Machine;
import io.harmonica.compare.Quality;
import io.harmonica.features.Estimate;
import io.harmonica.features.FeatureNetwork;
import io.harmonica.features.FeatureStatistics;
import io.harmonica.features.Features;
import io.harmonica.features.Frechet;
import io.harmonica.model.CacheBytes;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.runtime.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.commons.cli.CommandLine;

/**
 * Writes docs/RESULTS.md and docs/RESULTS-TEXT.md: every method at every budget on an example
 * model. {@code tests/results/run.sh} starts it. It can be stopped at any time: what is measured is
 * kept, and the page is written again after each cell.
 */
public final class Results {
  private static final int REAL_SHAPES = 20_000;
  private static final long REAL_SEED = 1_000_000;
  private static final int SIZE = 32;

  private final Settings settings;
  private final String command;
  private final PrintStream out;
  private final Store store;
  private final FeatureNetwork network;
  private final FeatureStatistics reference;
  private final Map<Trajectory, Features> uncachedFeatures = new HashMap<>();
  private final String checkpointDigest;
  private final String referenceDigest;
  private final Model model;

  private Results(
      Settings settings, String command, FeatureNetwork network, Model model, PrintStream out) {
    this.settings = settings;
    this.command = command;
    this.network = network;
    this.model = model;
    this.out = out;
    this.store = Store.open(settings.store());
    this.reference = FeatureStatistics.read(settings.reference());
    this.checkpointDigest = settings.checkpointDigest();
    this.referenceDigest = Digest.of(settings.reference());
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Locale.setDefault(Locale.ROOT);
    try {
      run(args, System.out);
    } catch (IllegalArgumentException | HarmonicaException e) {
      System.err.println("error: " + e.getMessage());
      System.exit(1);
    }
  }

  static void run(String[] args, PrintStream out) throws IOException, InterruptedException {
    CommandLine line = Settings.parse(args);
    Settings settings = Settings.of(line);
    try (FeatureNetwork network = FeatureNetwork.open(settings.features());
        Checkpoint weights = settings.weights()) {
      if (line.hasOption("write-reference")) {
        if (settings.subject() != Subject.SHAPES) {
          throw new IllegalArgumentException(
              "--write-reference is for shapes: captions.py writes that of scenes");
        }
        writeReference(network, settings.reference(), REAL_SHAPES);
        out.printf("wrote %s: %d drawn shapes%n", settings.reference(), REAL_SHAPES);
        return;
      }
      String command = "tests/results/run.sh " + String.join(" ", args);
      Model model = settings.model(weights);
      new Results(settings, command.strip(), network, model, out).run();
    }
  }

  static void writeReference(FeatureNetwork network, Path file, int count) {
    Features features = network.of(DrawnShapes.draw(count, SIZE, REAL_SEED));
    features.statistics().write(file);
  }

  private void run() throws IOException, InterruptedException {
    Map<Cell, Router> routers = new CellRouters(settings, model, out).all();
    Predicate<Cell> isMissing =
        cell -> isMeasurable(cell, routers) && store.find(key(cell, routers)).isEmpty();
    List<Cell> missing = Cell.all(settings).stream().filter(isMissing).toList();
    List<Table> missingUncached =
        Table.all(settings).stream().filter(table -> find(table).isEmpty()).toList();
    if (!missing.isEmpty() || !missingUncached.isEmpty()) {
      try (PictureSets exact = open(Form.FP32, missing, routers)) {
        announce(missing, missingUncached, exact);
        for (Form form : settings.forms()) {
          List<Cell> cells = missing.stream().filter(cell -> cell.form() == form).toList();
          List<Table> tables =
              missingUncached.stream().filter(table -> table.form() == form).toList();
          if (form == Form.FP32) {
            measure(cells, tables, routers, exact, exact);
          } else if (!cells.isEmpty() || !tables.isEmpty()) {
            try (PictureSets sets = open(form, missing, routers)) {
              measure(cells, tables, routers, sets, exact);
            }
          }
        }
      }
    }
    write(routers);
    out.printf("wrote %s%n", settings.page());
  }

  private PictureSets open(Form form, List<Cell> missing, Map<Cell, Router> routers) {
    List<Router> exported =
        missing.stream()
            .filter(cell -> cell.form() == form && routers.containsKey(cell))
            .map(routers::get)
            .toList();
    return new PictureSets(settings, checkpointDigest, form, exported, out);
  }

  /**
   * Measures lines of one form.
   *
   * @param exact of fp32, whose uncached pictures all are compared to
   */
  private void measure(
      List<Cell> cells,
      List<Table> tables,
      Map<Cell, Router> routers,
      PictureSets sets,
      PictureSets exact)
      throws IOException {
    for (Table table : tables) {
      double speedup = (double) model.flops().full() / sets.flops().full();
      keep(
          measure(sets.uncached(table.trajectory()), table, uncached(table), speedup, 0, exact),
          routers);
    }
    for (Cell cell : cells) {
      if (store.find(key(cell, routers)).isEmpty()) { // two may turn out the same
        out.printf("%s%s%n", cell.name(), cell.form() == Form.FP32 ? "" : " " + cell.form().id);
        keep(measure(cell, routers, sets, exact), routers);
      }
    }
  }

  /** Says how long it takes, by a batch of pictures of each trajectory in fp32. */
  private void announce(List<Cell> missing, List<Table> uncached, PictureSets exact) {
    double seconds = 0;
    for (Trajectory drawn : settings.trajectories()) {
      double sets =
          uncached.stream().filter(table -> table.trajectory().equals(drawn)).count()
              + missing.stream()
                  .filter(cell -> cell.trajectory().equals(drawn))
                  .mapToDouble(cell -> 1 / cell.speedup())
                  .sum();
      if (sets > 0) {
        seconds += exact.seconds(drawn) * settings.count() * sets;
      }
    }
    out.printf(
        "%d cells of %d pictures each, about %.0f minutes%n",
        missing.size(), settings.count(), Math.ceil(seconds / 60));
  }

  private Measured measure(
      Cell cell, Map<Cell, Router> routers, PictureSets sets, PictureSets exact) {
    Measured.Key key = key(cell, routers);
    if (cell.method() == Method.FEWER_STEPS) {
      int fewer = cell.fewerSteps();
      double speedup = (double) cell.steps() / fewer * model.flops().full() / sets.flops().full();
      Latents pictures = sets.uncached(cell.trajectory().withSteps(fewer));
      return measure(pictures, cell.table(), key, speedup, 0, exact);
    }
    Router router = routers.get(cell);
    Savings savings = Savings.of(router, sets.flops(), CacheBytes.of(model.denoiser()));
    double speedup =
        savings.theoreticalSpeedup().orElseThrow() * model.flops().full() / sets.flops().full();
    return measure(sets.routed(router), cell.table(), key, speedup, savings.cur(), exact);
  }

  private Measured measure(
      Latents pictures,
      Table table,
      Measured.Key key,
      double speedup,
      double cur,
      PictureSets exact) {
    Trajectory trajectory = table.trajectory();
    Latents uncached = exact.uncached(trajectory);
    Quality quality = Quality.of(uncached, pictures);
    Features features = network.of(pictures);
    Features others = uncachedFeatures.computeIfAbsent(trajectory, drawn -> network.of(uncached));
    return new Measured(
        key,
        speedup,
        cur,
        Estimate.mean(quality.psnrDecibels()),
        Estimate.mean(quality.ssim()),
        settings.subject().accuracy(settings.features(), pictures, features),
        Frechet.to(reference, features),
        Frechet.between(features, others));
  }

  private void keep(Measured measured, Map<Cell, Router> routers) throws IOException {
    store.add(measured);
    write(routers);
  }

  private void write(Map<Cell, Router> routers) throws IOException {
    String before = Files.exists(settings.page()) ? Files.readString(settings.page()) : "";
    List<Page.Uncached> uncached =
        Table.all(settings).stream().map(table -> new Page.Uncached(table, find(table))).toList();
    List<Page.Row> rows =
        Cell.all(settings).stream()
            .map(
                cell ->
                    new Page.Row(
                        cell,
                        isMeasurable(cell, routers)
                            ? store.find(key(cell, routers))
                            : Optional.empty()))
            .toList();
    String page =
        Page.render(
            settings,
            uncached,
            rows,
            reference.count(),
            Machine.here(Backend.cpu().description()),
            command,
            before);
    AtomicFile.write(settings.page(), page.getBytes(StandardCharsets.UTF_8));
  }

  private static boolean isMeasurable(Cell cell, Map<Cell, Router> routers) {
    return cell.method() == Method.FEWER_STEPS || routers.containsKey(cell);
  }

  private Measured.Key key(Cell cell, Map<Cell, Router> routers) {
    return cell.method() == Method.FEWER_STEPS
        ? key(cell.table(), "uncached-" + cell.fewerSteps())
        : key(cell.table(), Digest.of(routers.get(cell)));
  }

  private Optional<Measured> find(Table table) {
    return store.find(uncached(table));
  }

  /** Of the uncached pictures of a table. */
  private Measured.Key uncached(Table table) {
    return key(table, "uncached-" + table.trajectory().steps());
  }

  private Measured.Key key(Table table, String variant) {
    return new Measured.Key(
        table.trajectory().sampler(),
        table.trajectory().steps(),
        table.form().id,
        variant,
        checkpointDigest,
        network.digest().substring(0, 16),
        referenceDigest,
        settings.count(),
        settings.guidance(),
        settings.seed());
  }
}
