package io.harmonica.bench;

import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.runtime.ForwardingRuntime;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Traffic;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.Fleet;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * What it is worth to have a server make the condition once a trajectory: against once a step, in
 * shared memory and over the wire. {@code tests/bench/condition.sh} starts it; docs/BENCHMARKS.md
 * keeps what it printed.
 */
public final class ConditionBenchmark {
  private static final String MODEL = "model";

  private ConditionBenchmark() {}

  /** Servers that take what is made ahead, or not, however tensors go there. */
  private static final class Servers extends ForwardingRuntime {
    private final boolean sharesMemory;

    Servers(Runtime fleet, boolean sharesMemory) {
      super(fleet);
      this.sharesMemory = sharesMemory;
    }

    @Override
    public boolean sharesMemory() {
      return sharesMemory;
    }

    @Override
    public Session session(Supplier<Plan> plan) {
      return runtime.session(plan);
    }

    @Override
    public Statistics statistics() {
      return runtime.statistics();
    }

    @Override
    public Traffic traffic() {
      return runtime.traffic();
    }
  }

  /** Arguments: checkpoint, work folder, rounds. */
  public static void main(String[] args) throws Exception {
    Path repository = Path.of(args[1]).resolve("condition");
    List<String> routers = export(Path.of(args[0]), repository);
    int rounds = Integer.parseInt(args[2]);
    try (TritonServer server = TritonServer.start(repository)) {
      for (SharedMemory memory : List.of(SharedMemory.ON, SharedMemory.OFF)) {
        ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(memory);
        try (Pipeline step = open(server, options, false);
            Pipeline once = open(server, options, true)) {
          for (String router : routers) {
            measure(memory + ", " + router, step, once, router, rounds);
          }
        }
      }
    }
  }

  private static Pipeline open(TritonServer server, ServerOptions options, boolean ahead) {
    Runtime fleet = Fleet.connect(server.address(), options);
    return Pipeline.builder(MODEL).runtime(new Servers(fleet, ahead)).stepsPerRequest(1).open();
  }

  private static List<String> export(Path checkpoint, Path repository) {
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      Model model = Model.of(source, OptionalInt.empty());
      Router router =
          new Taylor(2, 1)
              .router(
                  "taylor-2",
                  model.denoiser().architecture(),
                  "ddim",
                  Timesteps.of(Spacing.LEADING.timesteps(20, 1000)),
                  model.denoiser().branchNames());
      // Few engines: the stand-in's backend is a process for each.
      int blocks = (model.denoiser().branches().size() + 3) / 4;
      ExportOptions options = ExportOptions.of(MODEL).withBlocksPerEngine(blocks).withForce(true);
      new Exporter(model, List.of(router), options).export(repository);
      return List.of(Request.NO_ROUTER, router.name());
    }
  }

  /** By the clock, and by processor time: this machine may do other work. */
  private static void measure(
      String what, Pipeline step, Pipeline once, String router, int rounds) {
    Pipeline[] sides = {step, once};
    double[][] seconds = new double[2][rounds];
    double[][] processors = new double[2][rounds];
    for (int round = -1; round < rounds; round++) { // one to warm up; the order turns
      for (int turn = 0; turn < 2; turn++) {
        int side = Math.floorMod(round + turn, 2);
        long start = System.nanoTime();
        Duration before = BatchingBenchmark.processors();
        sides[side].generate(Request.of(List.of(3)).withRouter(router).withSeed(round + 1));
        if (round >= 0) {
          Duration after = BatchingBenchmark.processors();
          seconds[side][round] = (System.nanoTime() - start) / 1e9;
          processors[side][round] = after.minus(before).toNanos() / 1e9;
        }
      }
    }
    print(what + ", clock", seconds);
    print(what + ", processor time", processors);
  }

  private static void print(String what, double[][] times) {
    Ratios.print(what + ", once / each step", Benchmark.ratios(times[1], times[0]), "below 1");
    Ratios.print(what + ", each step, seconds", times[0], "for the scale");
  }
}
