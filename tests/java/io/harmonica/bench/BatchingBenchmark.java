package io.harmonica.bench;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.InFlight;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the engines' dynamic batching is worth to many trajectories in flight: the example, drawn
 * from two servers that differ in that alone and take turns. {@code tests/bench/batching.sh} starts
 * it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class BatchingBenchmark {
  private static final int IN_FLIGHT = 16;
  private static final int PICTURES = 32; // of a round and side
  private static final String ROUTER = "taylor-2";

  private BatchingBenchmark() {}

  /** Arguments: work folder, rounds. */
  public static void main(String[] args) throws Exception {
    Path batched = export(Path.of(args[0]).resolve("batched"));
    Path single = export(Path.of(args[0]).resolve("single"));
    withoutBatching(single);
    try (TritonServer with = TritonServer.start(batched);
        TritonServer without = TritonServer.start(single);
        Pipeline one = Pipeline.connect(with.address(), "shapes-dit");
        Pipeline other = Pipeline.connect(without.address(), "shapes-dit")) {
      measure(new Pipeline[] {one, other}, Integer.parseInt(args[1]));
      System.out.printf(
          Locale.ROOT,
          "rows an engine takes at once: %.1f with, %.1f without%n",
          rows(with),
          rows(without));
    }
  }

  private static Path export(Path repository) {
    try (Checkpoint source = Checkpoint.open(Path.of("export/shapes-dit"))) {
      Model model = Model.of(source, OptionalInt.empty());
      Router router = Router.read(Path.of("export/shapes-dit/routers/" + ROUTER + ".json"));
      // An engine a route: the stand-in's backend is a process for each.
      ExportOptions options = ExportOptions.of("shapes-dit").withBlocksPerEngine(0).withForce(true);
      new Exporter(model, List.of(router), options).export(repository);
      return repository;
    }
  }

  private static void withoutBatching(Path repository) throws IOException {
    try (Stream<Path> models = Files.list(repository)) {
      for (Path model : models.filter(Files::isDirectory).toList()) {
        ModelConfig config = ConfigFile.read(model);
        Files.writeString(
            model.resolve(ConfigFile.NAME),
            ConfigFile.print(config.toBuilder().clearDynamicBatching().build()));
      }
    }
  }

  private static void measure(Pipeline[] sides, int rounds) {
    for (String router : List.of(Request.NO_ROUTER, ROUTER)) {
      double[] ratios = new double[rounds];
      double[] rates = new double[rounds];
      for (int round = -1; round < rounds; round++) { // one to warm up; the order turns
        double[] seconds = new double[2];
        for (int turn = 0; turn < 2; turn++) {
          int side = Math.floorMod(round + turn, 2);
          seconds[side] = seconds(sides[side], router);
        }
        if (round >= 0) {
          ratios[round] = seconds[1] / seconds[0];
          rates[round] = PICTURES / seconds[0];
        }
      }
      Ratios.print("router " + router + ", throughput with / without", ratios, "above 1");
      Ratios.print("router " + router + ", pictures a second with", rates, "none, for the scale");
    }
  }

  private static double seconds(Pipeline pipeline, String router) {
    long start = System.nanoTime();
    new InFlight(pipeline, IN_FLIGHT)
        .run(
            IntStream.range(0, PICTURES)
                .mapToObj(
                    i ->
                        new InFlight.Job<>(
                            i, Request.of(List.of(i % 10)).withRouter(router).withSeed(i)))
                .iterator(),
            (i, result) -> {},
            () -> false);
    return (System.nanoTime() - start) / 1e9;
  }

  /** Of all engines' calls so far, by the server's metrics. */
  private static double rows(TritonServer server) throws IOException {
    String metrics = server.metrics();
    return sum(metrics, "nv_inference_count") / sum(metrics, "nv_inference_exec_count");
  }

  private static double sum(String metrics, String counter) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(counter + "{model=\"shapes-dit-step-"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }
}
