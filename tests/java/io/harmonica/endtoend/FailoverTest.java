package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.StepListener;
import io.harmonica.metrics.Metrics;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.triton.Fleet;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A server is killed under a routed trajectory, by default at a sample of its steps; {@code
 * -Dfailover=all} takes every one, {@code -Dfailover=3,4} these.
 */
@Tag("triton")
class FailoverTest {
  private static final int STEPS = 20;

  @TempDir static Path folder;

  private static TritonServer lasting;
  private static float[] undisturbed;

  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Router router = Exports.staggered("r", model, STEPS, 3, Reuse.LINEAR);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, List.of(router), options).export(folder);
    }
    lasting = TritonServer.start(folder);
    try (Pipeline pipeline = Pipeline.connect(lasting.address(), "dit")) {
      undisturbed = pipeline.generate(request()).latents().values();
    }
  }

  @AfterAll
  static void stop() {
    if (lasting != null) {
      lasting.close();
    }
  }

  private static Request request() {
    return Request.of(List.of(2, 1)).withRouter("r").withGuidance(4).withSeed(11);
  }

  static Stream<Arguments> steps() {
    String steps = System.getProperty("failover", "0,7,18");
    IntStream numbers =
        steps.equals("all")
            ? IntStream.range(0, STEPS)
            : Arrays.stream(steps.split(",")).mapToInt(Integer::parseInt);
    return numbers
        .boxed()
        .flatMap(
            step ->
                Stream.of(SharedMemory.ON, SharedMemory.OFF)
                    .map(shared -> Arguments.of(step, shared)));
  }

  /** Even steps: between two calls; odd ones: while the call runs. */
  @ParameterizedTest
  @MethodSource("steps")
  void serverKilledAtAStep_leavesThePictureAsItWas(int step, SharedMemory shared) throws Exception {
    ExecutorService killer = Executors.newSingleThreadExecutor();
    try (TritonServer mortal = TritonServer.start(folder)) {
      Fleet fleet =
          Fleet.connect(
              mortal.address() + "," + lasting.address(),
              ServerOptions.DEFAULTS.withSharedMemory(shared));
      HandleLedger handles = new HandleLedger(fleet);
      SimpleMeterRegistry registry = new SimpleMeterRegistry();
      Metrics metrics = new Metrics(registry);
      try (Pipeline pipeline = Pipeline.builder("dit").runtime(handles).metrics(metrics).open()) {
        Future<?>[] killed = new Future<?>[1];
        StepListener kill =
            done -> {
              if (done.step() == step && step % 2 == 0) {
                mortal.kill();
              } else if (done.step() == step) {
                killed[0] = killer.submit(mortal::kill);
              }
              return true;
            };
        float[] latents = pipeline.generate(request(), kill).latents().values();
        Golden.assertClose("latents", latents, undisturbed, 1e-5);
        if (killed[0] != null) {
          killed[0].get();
        }
        // After the last step nothing runs on the server that is killed.
        assertThat(fleet.failovers()).isLessThanOrEqualTo(1);
        if (step % 2 == 0) {
          assertThat(fleet.failovers()).isEqualTo(1);
        }
        assertThat(handles.open()).isEmpty();
        assertThat(registry.get("harmonica.failovers").counter().count())
            .isEqualTo(fleet.failovers());
        assertThat(fleet.traffic().sharedBytes() > 0).isEqualTo(shared == SharedMemory.ON);
      }
      assertThat(regions()).isEmpty();
    } finally {
      killer.shutdown();
    }
  }

  /** Ours in /dev/shm. */
  private static List<Path> regions() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/dev/shm"))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("harmonica-region-"))
          .toList();
    }
  }

  /** As when one is started again between two requests: it knows none of our regions. */
  @Test
  void serverThatForgotOurRegions_isGivenOthers() throws Exception {
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(SharedMemory.ON);
    TritonServer first = TritonServer.start(folder);
    try (Pipeline pipeline = Pipeline.connect(first.address(), "dit", options)) {
      StepListener forget =
          done -> {
            if (done.step() == 9) {
              forgetRegions(first);
            }
            return true;
          };
      float[] latents = pipeline.generate(request(), forget).latents().values();
      Golden.assertClose("latents", latents, undisturbed, 1e-5);
      forgetRegions(first);
      Golden.assertClose(
          "latents", pipeline.generate(request()).latents().values(), undisturbed, 1e-5);
    } finally {
      first.close();
    }
    assertThat(regions()).isEmpty();
  }

  private static void forgetRegions(TritonServer server) {
    Instant end = Instant.now().plusSeconds(10);
    while (true) {
      try {
        server.post("/v2/systemsharedmemory/unregister");
        return;
      } catch (IOException e) { // it holds them a moment longer than its last answer takes
        if (Instant.now().isAfter(end)) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  @Test
  void onlyServerKilled_endsTheRunWithOneLine_withinTheDeadline() throws Exception {
    ServerOptions options = new ServerOptions(Duration.ofSeconds(10));
    try (TritonServer mortal = TritonServer.start(folder);
        Pipeline pipeline = Pipeline.connect(mortal.address(), "dit", options)) {
      StepListener kill =
          done -> {
            if (done.step() == 4) {
              mortal.kill();
            }
            return true;
          };
      assertThatThrownBy(() -> pipeline.generate(request(), kill))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("Triton server " + mortal.address())
          .hasMessageContaining("start it")
          .hasMessageNotContaining("\n");
    }
  }
}
