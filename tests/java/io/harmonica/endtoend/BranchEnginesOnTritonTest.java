package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.GatedSum;
import io.harmonica.Golden;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.deploy.Deployment;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonRuntime;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Any router goes to a running server whose export knew none, and draws as where it was known. */
@Tag("triton")
class BranchEnginesOnTritonTest {
  private static final int STEPS = 8;
  private static final ExportOptions OPTIONS =
      ExportOptions.of("dit").withEngines(EngineSize.BRANCH).withStepsPerRequest(3);

  @TempDir static Path folder;

  private static List<Router> routers;
  private static Path complete;
  private static TritonServer server;

  @BeforeAll
  static void serve() throws Exception {
    Path repository = folder.resolve("repository");
    complete = folder.resolve("complete");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      routers =
          List.of(
              router("last", model, Reuse.LAST, 1),
              router("linear", model, Reuse.LINEAR, 2),
              router("quadratic", model, Reuse.QUADRATIC, 3),
              everySecond("model", model),
              GatedSum.router(model));
      new Exporter(model, List.of(), OPTIONS).export(repository);
      new Exporter(model, routers, OPTIONS.withEngines(EngineSize.STEP)).export(complete);
    }
    server = TritonServer.start(repository);
    try (TritonRuntime admin = TritonRuntime.connect(server.address())) {
      Deployment deployment = new Deployment(server.address(), admin, "dit");
      for (Router router : routers) {
        deployment.deploy(router, false);
        deployment = new Deployment(server.address(), admin, "dit");
      }
    }
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  /** At random what is computed, what is reused alone, and what in runs. */
  private static Router router(String name, Model model, Reuse reuse, long seed) {
    Random random = new Random(seed);
    int branches = model.denoiser().branches().size();
    List<Run> runs = List.of(new Run(1, 2 + random.nextInt(2)), new Run(4, branches - 1));
    boolean[][] computes = new boolean[STEPS][branches];
    for (int s = 0; s < STEPS; s++) {
      for (int b = 0; b < branches; b++) {
        computes[s][b] = s == 0 || s == 3 || random.nextInt(3) == 0;
      }
      for (Run run : runs) {
        if (s % 3 > 0 && random.nextBoolean()) {
          boolean[] row = computes[s];
          run.branches().forEach(branch -> row[branch] = false);
        }
      }
    }
    Timesteps timesteps = Timesteps.of(Spacing.LEADING.timesteps(STEPS, 1000));
    return Exports.router(name, model, "ddim", timesteps, computes, runs, reuse);
  }

  private static Router everySecond(String name, Model model) {
    int branches = model.denoiser().branches().size();
    boolean[][] computes = new boolean[STEPS][branches];
    for (int s = 0; s < STEPS; s += 2) {
      java.util.Arrays.fill(computes[s], true);
    }
    Timesteps timesteps = Timesteps.of(Spacing.LEADING.timesteps(STEPS, 1000));
    List<Run> runs = List.of(new Run(0, branches - 1));
    return Exports.router(name, model, "ddim", timesteps, computes, runs, Reuse.LINEAR);
  }

  private static Pipeline served(SharedMemory memory, int stepsPerRequest) {
    return Pipeline.builder("dit")
        .triton(server.address(), ServerOptions.DEFAULTS.withSharedMemory(memory))
        .stepsPerRequest(stepsPerRequest)
        .open();
  }

  @Test
  void anyRouter_deployedToARunningExport_drawsTheEmbeddedPictures() {
    assertThat(routers.get(0).runs()).hasSize(2);
    try (Pipeline exported = Pipeline.open(complete, "dit");
        Pipeline wire = served(SharedMemory.OFF, 1);
        Pipeline shared = served(SharedMemory.ON, 1);
        Pipeline several = served(SharedMemory.ON, 3)) {
      for (Router router : routers) {
        Request request =
            Request.of(List.of(2, 1, 7)).withRouter(router.name()).withGuidance(4).withSeed(3);
        float[] expected = exported.generate(request).latents().values();
        for (Pipeline served : List.of(wire, shared, several)) {
          float[] drawn = served.generate(request).latents().values();
          double tolerance = Golden.trajectoryTolerance(expected);
          Golden.assertClose("latents of " + router.name(), drawn, expected, tolerance);
        }
      }
    }
  }

  @Test
  void runOverAllBlocks_isTheSumOfTheGatedBranchOutputs() {
    try (TritonRuntime runtime = TritonRuntime.connect(server.address())) {
      GatedSum.check(runtime, "dit", routers.get(0).branches());
    }
  }

  /** A step reused as one tensor of few reads, and of few bytes: the branches would take six. */
  @Test
  void aRunOverAllBlocks_takesASixthOfTheBytesOfSixBranches() {
    List<Long> wireBytes = new ArrayList<>();
    for (String router : List.of("none", "model")) {
      try (Pipeline wire = served(SharedMemory.OFF, 1)) {
        Request request = Request.of(List.of(2)).withRouter(router).withSteps(STEPS);
        Result result = wire.generate(request);
        wireBytes.add(wire.statistics().traffic().wireBytes());
        long tensor = 2 * wire.manifest().branchBytes().get(0); // guidance
        assertThat(result.peakCacheBytes()).isEqualTo(router.equals("none") ? 0 : 2 * tensor);
      }
    }
    // three steps of two tensors, one of one; each stored once
    long cached = (4 + 3 * 2 + 1) * 2 * 4L * 16 * 32;
    assertThat(wireBytes.get(1) - wireBytes.get(0)).isBetween(cached, cached + 8 * 400);
  }
}
