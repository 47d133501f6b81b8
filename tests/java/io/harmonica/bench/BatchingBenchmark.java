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
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What batching is worth to many requests in flight, each for a picture of the example: by the
 * engines' dynamic batching, by a client that gathers them, and by hand, against none; and what it
 * is worth without a server. Two servers differ in their dynamic batching alone, and all take
 * turns. {@code tests/bench/batching.sh} starts it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class BatchingBenchmark {
  private static final int IN_FLIGHT = 16;
  private static final int PICTURES = 16; // of a round and side
  private static final int TOGETHER = 8;
  private static final String ROUTER = "taylor-2";

  private BatchingBenchmark() {}

  /** Seconds by the clock, and of processors, in this process and the servers'. */
  private record Spent(double seconds, double processorSeconds) {}

  /** Of processors, in this process and those that it started. */
  static Duration processors() {
    return Stream.concat(Stream.of(ProcessHandle.current()), ProcessHandle.current().descendants())
        .map(process -> process.info().totalCpuDuration().orElse(Duration.ZERO))
        .reduce(Duration.ZERO, Duration::plus);
  }

  /**
   * A way to draw.
   *
   * @param together pictures of a request
   */
  private record Side(String name, Pipeline pipeline, int together) {

    Spent draw(String router) {
      long start = System.nanoTime();
      Duration before = processors();
      new InFlight(pipeline, IN_FLIGHT / together)
          .run(
              IntStream.range(0, PICTURES / together)
                  .mapToObj(i -> new InFlight.Job<>(i, request(i * together, router)))
                  .iterator(),
              (i, result) -> {},
              () -> false);
      Duration after = processors();
      return new Spent((System.nanoTime() - start) / 1e9, after.minus(before).toNanos() / 1e9);
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
    System.out.println("in this process, without a server");
    try (Pipeline none = Pipeline.open(single, "shapes-dit");
        Pipeline gathered =
            Pipeline.builder("shapes-dit")
                .repository(single)
                .batching(TOGETHER, Duration.ofMillis(20))
                .open()) {
      measure(
          List.of(
              new Side("none", none, 1),
              new Side("gathered", gathered, 1),
              new Side("by hand", none, TOGETHER)),
          Integer.parseInt(args[1]));
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
      Spent[][] spent = new Spent[sides.size()][rounds];
      for (int round = -1; round < rounds; round++) { // one to warm up; the order turns
        for (int turn = 0; turn < sides.size(); turn++) {
          int side = Math.floorMod(round + turn, sides.size());
          Spent one = sides.get(side).draw(router);
          if (round >= 0) {
            spent[side][round] = one;
          }
        }
      }
      for (int side = 1; side < sides.size(); side++) {
        String what = router + ", " + sides.get(side).name() + " / none, ";
        print(what + "throughput", spent[0], spent[side], Spent::seconds);
        print(what + "by processor time", spent[0], spent[side], Spent::processorSeconds);
      }
      double[] rates = Arrays.stream(spent[0]).mapToDouble(one -> PICTURES / one.seconds).toArray();
      Ratios.print(router + ", none, pictures a second", rates, "none, for the scale");
    }
  }

  /** Pictures for a time, against those without batching. */
  private static void print(String what, Spent[] none, Spent[] side, ToDoubleFunction<Spent> time) {
    double[] ratios = new double[none.length];
    Arrays.setAll(ratios, i -> time.applyAsDouble(none[i]) / time.applyAsDouble(side[i]));
    Ratios.print(what, ratios, "above 1");
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
