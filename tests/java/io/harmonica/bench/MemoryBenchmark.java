package io.harmonica.bench;

import com.sun.management.OperatingSystemMXBean;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Traffic;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc;
import io.harmonica.triton.proto.ServerLiveRequest;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What the client adds to a step on a server of this host, in shared memory and over the wire, by
 * one step a request and by several: the client's time less the server's own, by the server's
 * statistics. {@code tests/bench/memory.sh} starts it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class MemoryBenchmark {
  private static final int STEPS = 10;
  private static final int SEVERAL = 5; // steps of a request
  private static final String ROUTER = "forecast";
  private static final int WARM_UP = 100; // rounds, of the example

  /** How tensors and steps go; they take turns. */
  private enum Way {
    WIRE(SharedMemory.OFF, 1),
    SHARED(SharedMemory.ON, 1),
    SHARED_SEVERAL(SharedMemory.ON, SEVERAL);

    final SharedMemory memory;
    final int stepsPerRequest;

    Way(SharedMemory memory, int stepsPerRequest) {
      this.memory = memory;
      this.stepsPerRequest = stepsPerRequest;
    }
  }

  private MemoryBenchmark() {}

  /** Arguments: checkpoint folder, work folder, rounds. */
  public static void main(String[] args) throws Exception {
    Path repository = Path.of(args[1]).resolve("served");
    int rounds = Integer.parseInt(args[2]);
    export(Path.of("export/shapes-dit"), "example", repository);
    export(Path.of(args[0]), "dit", repository);
    try (TritonServer server = TritonServer.start(repository)) {
      // The example first, often: a client that serves has long been compiled, and the large
      // model alone would take an hour for that.
      measure(server, "example", WARM_UP, rounds);
      measure(server, "dit", 1, rounds);
    }
  }

  private static void export(Path checkpoint, String name, Path repository) {
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      Model model = Model.of(source, OptionalInt.empty());
      Timesteps timesteps = Timesteps.of(Spacing.LEADING.timesteps(STEPS, 1000));
      List<String> branches = model.denoiser().branchNames();
      Router router =
          new Taylor(2, 1)
              .router(ROUTER, model.denoiser().architecture(), "ddim", timesteps, branches);
      // An engine a route: the stand-in's backend is a process for each.
      ExportOptions options =
          ExportOptions.of(name)
              .withBlocksPerEngine(0)
              .withForce(true)
              .withStepsPerRequest(SEVERAL);
      new Exporter(model, List.of(router), options).export(repository);
    }
  }

  /**
   * One trajectory: the client's time, that of it in calls, processor time and bytes, and the
   * server's time in its ensembles.
   */
  private record Run(
      double clientMillis,
      double callMillis,
      double serverMillis,
      double cpuMillis,
      Statistics spent) {
    double ownMillis() {
      return (clientMillis - serverMillis) / STEPS;
    }

    double loopMillis() {
      return (clientMillis - callMillis) / STEPS;
    }
  }

  private static void measure(TritonServer server, String model, int warmUp, int rounds)
      throws Exception {
    System.out.println(model);
    Map<Way, Pipeline> pipelines = new EnumMap<>(Way.class);
    Map<Way, Run[]> runs = new EnumMap<>(Way.class);
    double[] empty = new double[rounds];
    try {
      for (Way way : Way.values()) {
        ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(way.memory);
        pipelines.put(
            way,
            Pipeline.builder(model)
                .triton(server.address(), options)
                .stepsPerRequest(way.stepsPerRequest)
                .open());
        runs.put(way, new Run[rounds]);
      }
      for (int round = -warmUp; round < rounds; round++) {
        for (int turn = 0; turn < Way.values().length; turn++) {
          Way way = Way.values()[Math.floorMod(round + turn, Way.values().length)];
          Run run = run(pipelines.get(way));
          if (round >= 0) {
            runs.get(way)[round] = run;
          }
        }
        if (round >= 0) {
          Run run = runs.get(Way.SHARED)[round];
          empty[round] = emptyCallMillis(server, Math.round(run.serverMillis() / STEPS));
        }
      }
    } finally {
      pipelines.values().forEach(Pipeline::close);
    }
    print(runs);
    row("an empty call after as long a pause, ms", empty, "");
  }

  /** What any call costs whose answer wakes a machine that was idle for a step: the median. */
  private static double emptyCallMillis(TritonServer server, long pause)
      throws InterruptedException {
    ManagedChannel channel = NettyChannelBuilder.forTarget(server.address()).usePlaintext().build();
    try {
      var stub = GRPCInferenceServiceGrpc.newBlockingStub(channel);
      double[] millis = new double[STEPS];
      for (int i = -1; i < STEPS; i++) { // the first connects
        Thread.sleep(pause);
        long start = System.nanoTime();
        stub.serverLive(ServerLiveRequest.getDefaultInstance());
        if (i >= 0) {
          millis[i] = (System.nanoTime() - start) / 1e6;
        }
      }
      Arrays.sort(millis);
      return millis[STEPS / 2];
    } finally {
      channel.shutdownNow();
    }
  }

  private static Run run(Pipeline pipeline) {
    Statistics before = pipeline.statistics();
    long cpu = cpuNanos();
    Result result = pipeline.generate(Request.of(List.of(0)).withRouter(ROUTER).withGuidance(4));
    cpu = cpuNanos() - cpu;
    Statistics spent = pipeline.statistics().minus(before);
    if (spent.uncounted() > 0) {
      throw new IllegalStateException("the server does not count its calls");
    }
    double server = 0;
    for (var model : spent.models().entrySet()) {
      server += isEnsemble(model.getKey()) ? model.getValue().totalNanos() / 1e6 : 0;
    }
    return new Run(
        result.elapsedNanos() / 1e6, result.runtimeNanos() / 1e6, server, cpu / 1e6, spent);
  }

  /** Of all threads of this process, gRPC's too: other load on the machine does not show in it. */
  private static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  private static boolean isEnsemble(String model) {
    return model.contains("-route") || model.contains("-stretch");
  }

  private static void print(Map<Way, Run[]> runs) {
    Run[] shared = runs.get(Way.SHARED);
    Run[] wire = runs.get(Way.WIRE);
    Run[] several = runs.get(Way.SHARED_SEVERAL);
    double[] own = Arrays.stream(shared).mapToDouble(Run::ownMillis).toArray();
    double[] ownOfWire = Arrays.stream(wire).mapToDouble(Run::ownMillis).toArray();
    double[] ratio = new double[shared.length];
    double[] whole = new double[shared.length];
    for (int i = 0; i < ratio.length; i++) {
      ratio[i] = own[i] / ownOfWire[i];
      whole[i] = shared[i].clientMillis() / wire[i].clientMillis();
    }
    row("server's time a step, shared memory, ms", server(shared), "");
    row("client's own time a step, shared memory, ms", own, "below 0.5");
    row("of it outside of calls, ms", loop(shared), "");
    row(
        "client's own time a step, %d a request, ms".formatted(SEVERAL),
        Arrays.stream(several).mapToDouble(Run::ownMillis).toArray(),
        "below 0.5");
    row("of it outside of calls, ms", loop(several), "");
    row("client's own time a step, wire, ms", ownOfWire, "");
    row("processor time a step, shared memory, ms", cpu(shared), "");
    row("processor time a step, wire, ms", cpu(wire), "");
    row("own time, shared memory / wire", ratio, "");
    row("whole trajectory, shared memory / wire", whole, "");
    runs.forEach(
        (way, some) -> {
          Traffic traffic = some[0].spent().traffic();
          System.out.printf(
              Locale.ROOT,
              "%s: %d bytes on the wire, %d in shared memory%n",
              way,
              traffic.wireBytes(),
              traffic.sharedBytes());
        });
  }

  private static double[] loop(Run[] runs) {
    return Arrays.stream(runs).mapToDouble(Run::loopMillis).toArray();
  }

  private static double[] server(Run[] runs) {
    return Arrays.stream(runs).mapToDouble(run -> run.serverMillis() / STEPS).toArray();
  }

  private static double[] cpu(Run[] runs) {
    return Arrays.stream(runs).mapToDouble(run -> run.cpuMillis() / STEPS).toArray();
  }

  private static void row(String what, double[] values, String target) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    System.out.printf(
        Locale.ROOT,
        "%-46s median %.3f  quartiles %.3f..%.3f%s%n",
        what,
        sorted[n / 2],
        sorted[n / 4],
        sorted[n * 3 / 4],
        target.isEmpty() ? "" : "  (target " + target + ")");
  }
}
