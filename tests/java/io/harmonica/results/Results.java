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
    List<Cell> missing =
        Cell.all(settings).stream()
            .filter(cell -> isMeasurable(cell, routers) && store.find(key(cell, routers)).isEmpty())
            .toList();
    List<Trajectory> missingUncached =
        settings.trajectories().stream()
            .filter(drawn -> store.find(uncachedKey(drawn, drawn.steps())).isEmpty())
            .toList();
    if (!missing.isEmpty() || !missingUncached.isEmpty()) {
      List<Router> exported =
          missing.stream().filter(routers::containsKey).map(routers::get).toList();
      try (PictureSets sets = new PictureSets(settings, checkpointDigest, exported, out)) {
        announce(missing, sets);
        for (Trajectory drawn : missingUncached) {
          Measured.Key key = uncachedKey(drawn, drawn.steps());
          keep(measure(sets.uncached(drawn), drawn, key, 1, 0, sets), routers);
        }
        for (Cell cell : missing) {
          if (store.find(key(cell, routers)).isEmpty()) { // two may turn out the same
            out.printf("%s%n", cell.name());
            keep(measure(cell, routers, sets), routers);
          }
        }
      }
    }
    write(routers);
    out.printf("wrote %s%n", settings.page());
  }

  /** Says how long it takes, by a batch of pictures of each trajectory. */
  private void announce(List<Cell> missing, PictureSets made) {
    double seconds = 0;
    for (Trajectory drawn : settings.trajectories()) {
      double sets =
          1
              + missing.stream()
                  .filter(cell -> cell.trajectory().equals(drawn))
                  .mapToDouble(cell -> 1 / cell.speedup())
                  .sum();
      seconds += made.seconds(drawn) * settings.count() * sets;
    }
    out.printf(
        "%d cells of %d pictures each, about %.0f minutes%n",
        missing.size(), settings.count(), Math.ceil(seconds / 60));
  }

  private Measured measure(Cell cell, Map<Cell, Router> routers, PictureSets sets) {
    Measured.Key key = key(cell, routers);
    if (cell.method() == Method.FEWER_STEPS) {
      int fewer = cell.fewerSteps();
      double speedup = (double) cell.steps() / fewer;
      Latents pictures = sets.uncached(cell.trajectory().withSteps(fewer));
      return measure(pictures, cell.trajectory(), key, speedup, 0, sets);
    }
    Router router = routers.get(cell);
    Savings savings = Savings.of(router, model.flops(), CacheBytes.of(model.denoiser()));
    double speedup = savings.theoreticalSpeedup().orElseThrow();
    return measure(sets.routed(router), cell.trajectory(), key, speedup, savings.cur(), sets);
  }

  private Measured measure(
      Latents pictures,
      Trajectory trajectory,
      Measured.Key key,
      double speedup,
      double cur,
      PictureSets sets) {
    Latents uncached = sets.uncached(trajectory);
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
        settings.trajectories().stream()
            .map(drawn -> new Page.Uncached(drawn, store.find(uncachedKey(drawn, drawn.steps()))))
            .toList();
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
        ? uncachedKey(cell.trajectory(), cell.fewerSteps())
        : key(cell.trajectory(), Digest.of(routers.get(cell)));
  }

  /** Uncached pictures of {@code made} steps, compared to those of a trajectory. */
  private Measured.Key uncachedKey(Trajectory trajectory, int made) {
    return key(trajectory, "uncached-" + made);
  }

  private Measured.Key key(Trajectory trajectory, String variant) {
    return new Measured.Key(
        trajectory.sampler(),
        trajectory.steps(),
        variant,
        checkpointDigest,
        network.digest().substring(0, 16),
        referenceDigest,
        settings.count(),
        settings.guidance(),
        settings.seed());
  }
}
