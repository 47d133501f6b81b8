package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.LoopbackProxy;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several steps in one request to a real server: the pictures of this process. */
@Tag("triton")
class StretchOnTritonTest {
  private static final int STEPS = 8;
  private static final int SIZE = 3; // so two steps are left over

  /** Relative to {@code max(1, |x|)}; why, says {@code StretchTest}. */
  private static final double TOLERANCE = 5e-5;

  private static final Request REQUEST =
      Request.of(List.of(2, 0, 1)).withRouter("linear").withGuidance(4).withSeed(9);

  @TempDir static Path repository;

  private static TritonServer server;

  /** An engine a route: each is a process of the server's. */
  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Router router = Exports.staggered("linear", model, STEPS, 3, Reuse.LINEAR);
      ExportOptions options =
          ExportOptions.of("whole").withBlocksPerEngine(0).withStepsPerRequest(SIZE);
      Router solved =
          Exports.forSampler(
              Exports.staggered("solved", model, STEPS, 3, Reuse.LINEAR),
              "dpm-solver++",
              Spacing.LINSPACE.solverTimesteps(STEPS, 1000));
      new Exporter(model, List.of(router, solved), options).export(repository);
    }
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.UVIT)) {
      Model model = Exports.uVit(checkpoint, UVitSchedule.DISCRETE);
      Sampler sampler =
          model.denoiser().io().sampling().sampler("dpm-solver-2", STEPS, Optional.empty());
      Router router = Exports.staggered("solved", model, STEPS, 3, Reuse.LINEAR);
      router = Exports.forSampler(router, "dpm-solver-2", sampler.timesteps());
      ExportOptions options =
          ExportOptions.of("uvit").withBlocksPerEngine(0).withStepsPerRequest(SIZE);
      new Exporter(model, List.of(router), options).export(repository);
    }
    server = TritonServer.start(repository);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static void assertSame(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      double difference = Math.abs(actual[i] - expected[i]);
      largest = Math.max(largest, difference / Math.max(1, Math.abs(expected[i])));
    }
    assertThat(largest).isLessThanOrEqualTo(TOLERANCE);
  }

  private static Pipeline pipeline(ServerOptions options) {
    return Pipeline.builder("whole").triton(server.address(), options).stepsPerRequest(SIZE).open();
  }

  /** On a real server, at once where it is far, step by step where it is near. */
  @Test
  void givesTheSame_andDistanceDecides() throws Exception {
    float[] expected;
    try (Pipeline here = Pipeline.open(repository, "whole")) {
      expected = here.generate(REQUEST).latents().values();
    }
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(SharedMemory.OFF);
    try (LoopbackProxy proxy = LoopbackProxy.to(server.address(), Duration.ofMillis(3));
        Pipeline near = pipeline(options);
        Pipeline far = Pipeline.connect(proxy.address(), "whole", options)) {
      assertSame(near.generate(REQUEST).latents().values(), expected);
      List<Integer> seen = new ArrayList<>();
      Latents latents = far.generate(REQUEST, step -> seen.add(step.step())).latents();
      assertThat(seen).containsExactly(2, 5, 6, 7);
      assertSame(latents.values(), expected);
    }
  }

  /**
   * What a step leaves for the sampler goes from request to request, in shared memory or not. A
   * U-ViT's requests of three steps end within updates of two.
   */
  @ParameterizedTest
  @CsvSource({"whole, ON", "whole, OFF", "uvit, ON", "uvit, OFF"})
  void solver_givesTheSame(String model, SharedMemory memory) throws Exception {
    Request request = REQUEST.withRouter("solved");
    float[] expected;
    try (Pipeline near = Pipeline.open(repository, model)) {
      expected = near.generate(request).latents().values();
    }
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(memory);
    try (Pipeline pipeline =
        Pipeline.builder(model).triton(server.address(), options).stepsPerRequest(SIZE).open()) {
      List<Integer> seen = new ArrayList<>();
      Latents latents = pipeline.generate(request, step -> seen.add(step.step())).latents();
      assertThat(seen).containsExactly(2, 5, 6, 7);
      assertSame(latents.values(), expected);
    }
  }

  /** What is cached between stretches lies in shared memory; the wire only says where. */
  @Test
  void inSharedMemory_givesTheSame_withNothingOfTheCacheOnTheWire() throws Exception {
    ServerOptions options = ServerOptions.DEFAULTS;
    try (Pipeline wire = pipeline(options.withSharedMemory(SharedMemory.OFF));
        Pipeline shared = pipeline(options.withSharedMemory(SharedMemory.ON))) {
      Result expected = wire.generate(REQUEST);
      List<Integer> seen = new ArrayList<>();
      Result result = shared.generate(REQUEST, step -> seen.add(step.step()));
      assertThat(seen).containsExactly(2, 5, 6, 7);
      assertThat(result.latents().values()).isEqualTo(expected.latents().values());
      assertThat(result.peakCacheBytes()).isEqualTo(expected.peakCacheBytes()).isPositive();
      assertThat(shared.generate(REQUEST).latents().values())
          .isEqualTo(expected.latents().values()); // in the same memory
      long messages = 2 * seen.size();
      assertThat(shared.statistics().traffic().wireBytes() / messages).isLessThan(10_000);
      assertThat(shared.statistics().traffic().sharedBytes())
          .isGreaterThan(wire.statistics().traffic().wireBytes());
    }
  }
}
