package io.harmonica.bench;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.triton.LoopbackProxy;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * What several steps in one request are worth to a client far away: the example's trajectory of 20
 * steps with {@code taylor-2}, step by step and by fives, on loopback with a delay added in each
 * direction. {@code tests/bench/remote.sh} starts it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class RemoteBenchmark {
  private static final int SIZE = 5;
  private static final String ROUTER = "taylor-2";
  private static final Request REQUEST = Request.of(List.of(3)).withRouter(ROUTER);

  private RemoteBenchmark() {}

  /** Arguments: work folder, rounds. */
  public static void main(String[] args) throws Exception {
    Path repository = Path.of(args[0]).resolve("far");
    int rounds = Integer.parseInt(args[1]);
    try (Checkpoint source = Checkpoint.open(Path.of("export/shapes-dit"))) {
      Model model = Model.of(source, OptionalInt.empty());
      Router router = Router.read(Path.of("export/shapes-dit/routers/" + ROUTER + ".json"));
      ExportOptions options = ExportOptions.of("shapes-dit").withBlocksPerEngine(0).withForce(true);
      new Exporter(model, List.of(router), options.withStepsPerRequest(SIZE)).export(repository);
    }
    try (TritonServer server = TritonServer.start(repository)) {
      for (long millis : List.of(0L, 1L, 5L, 20L)) {
        measure(server, millis, rounds);
      }
    }
  }

  private static Pipeline pipeline(
      LoopbackProxy proxy, ServerOptions options, int stepsPerRequest) {
    return Pipeline.builder("shapes-dit")
        .triton(proxy.address(), options)
        .stepsPerRequest(stepsPerRequest)
        .open();
  }

  private static void measure(TritonServer server, long millis, int rounds) throws Exception {
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(SharedMemory.OFF);
    double[] single = new double[rounds];
    double[] several = new double[rounds];
    double[] ratio = new double[rounds];
    try (LoopbackProxy proxy = LoopbackProxy.to(server.address(), Duration.ofMillis(millis));
        Pipeline one = pipeline(proxy, options, 1);
        Pipeline five = pipeline(proxy, options, SIZE)) {
      for (int round = -2; round < rounds; round++) { // two to warm up; the order turns
        double[] times = new double[2];
        for (int turn = 0; turn < 2; turn++) {
          int which = Math.floorMod(round + turn, 2);
          times[which] = (which == 0 ? one : five).generate(REQUEST).elapsedNanos() / 1e6;
        }
        if (round >= 0) {
          single[round] = times[0];
          several[round] = times[1];
          ratio[round] = times[0] / times[1];
        }
      }
      Arrays.sort(ratio);
      System.out.printf(
          Locale.ROOT,
          "delay %2d ms: by ones %.0f ms, by fives %.0f ms; ones / fives median %.2f"
              + "  quartiles %.2f..%.2f; bytes on the wire %d / %d%n",
          millis,
          median(single),
          median(several),
          ratio[rounds / 2],
          ratio[rounds / 4],
          ratio[rounds * 3 / 4],
          bytes(one, rounds),
          bytes(five, rounds));
    }
  }

  private static long bytes(Pipeline pipeline, int rounds) {
    return pipeline.statistics().traffic().wireBytes() / (rounds + 2);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
