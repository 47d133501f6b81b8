package io.harmonica.bench;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.InFlight;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What batching is worth to many requests in flight, each for a picture of the example: by the
 * engines' dynamic batching, by a client that gathers them, and by hand, against none. Two servers
 * differ in their dynamic batching alone, and all take turns. {@code tests/bench/batching.sh}
 * starts it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class BatchingBenchmark {
  private static final int IN_FLIGHT = 16;
  private static final int PICTURES = 16; // of a round and side
  private static final int TOGETHER = 8;
  private static final String ROUTER = "taylor-2";

  private BatchingBenchmark() {}

  /**
   * A way to draw.
   *
   * @param together pictures of a request
   */
  private record Side(String name, Pipeline pipeline, int together) {

    double seconds(String router) {
      long start = System.nanoTime();
      new InFlight(pipeline, IN_FLIGHT / together)
          .run(
              IntStream.range(0, PICTURES / together)
                  .mapToObj(i -> new InFlight.Job<>(i, request(i * together, router)))
                  .iterator(),
              (i, result) -> {},
              () -> false);
      return (System.nanoTime() - start) / 1e9;
    }

    private Request request(int first, String router) {
      return Request.of(IntStream.range(first, first + together).map(i -> i % 10).boxed().toList())
          .withRouter(router)
          .withSeed(first);
    }
  }

  /** Arguments: work folder, rounds. */
  public static void main(String[] args) throws Exception {
    Path batched = export(Path.of(args[0]).resolve("batched"), true);
    Path single = export(Path.of(args[0]).resolve("single"), false);
    try (TritonServer with = TritonServer.start(batched);
        TritonServer without = TritonServer.start(single);
        Pipeline dynamic = Pipeline.connect(with.address(), "shapes-dit");
        Pipeline none = Pipeline.connect(without.address(), "shapes-dit");
        Pipeline gathered =
            Pipeline.builder("shapes-dit")
                .triton(without.address())
                .batching(TOGETHER, Duration.ofMillis(20))
                .open()) {
      List<Side> sides =
          List.of(
              new Side("none", none, 1),
              new Side("dynamic", dynamic, 1),
              new Side("gathered", gathered, 1),
              new Side("by hand", none, TOGETHER));
      measure(sides, Integer.parseInt(args[1]));
      System.out.printf(
          Locale.ROOT, "rows an engine takes at once, dynamic batching: %.1f%n", rows(with));
    }
  }

  private static Path export(Path repository, boolean dynamic) {
    try (Checkpoint source = Checkpoint.open(Path.of("export/shapes-dit"))) {
      Model model = Model.of(source, OptionalInt.empty());
      Router router = Router.read(Path.of("export/shapes-dit/routers/" + ROUTER + ".json"));
      // An engine a route: the stand-in's backend is a process for each.
      ExportOptions options = ExportOptions.of("shapes-dit").withBlocksPerEngine(0).withForce(true);
      new Exporter(model, List.of(router), options.withDynamicBatching(dynamic)).export(repository);
      return repository;
    }
  }

  private static void measure(List<Side> sides, int rounds) {
    for (String router : List.of(Request.NO_ROUTER, ROUTER)) {
      double[][] seconds = new double[sides.size()][rounds];
      for (int round = -1; round < rounds; round++) { // one to warm up; the order turns
        for (int turn = 0; turn < sides.size(); turn++) {
          int side = Math.floorMod(round + turn, sides.size());
          double spent = sides.get(side).seconds(router);
          if (round >= 0) {
            seconds[side][round] = spent;
          }
        }
      }
      for (int side = 1; side < sides.size(); side++) {
        double[] ratios = new double[rounds];
        for (int round = 0; round < rounds; round++) {
          ratios[round] = seconds[0][round] / seconds[side][round];
        }
        String name = sides.get(side).name();
        Ratios.print("router " + router + ", throughput " + name + " / none", ratios, "above 1");
      }
      double[] rates = Arrays.stream(seconds[0]).map(spent -> PICTURES / spent).toArray();
      Ratios.print("router " + router + ", pictures a second, none", rates, "none, for the scale");
    }
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
