package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.Fleet;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.runtime.TritonRuntime.Options;
import io.harmonica.runtime.TritonServer;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A server is killed under a routed trajectory, by default at a sample of its steps; {@code
 * -Dfailover=all} takes every one, {@code -Dfailover=3,4} these.
 */
class FailoverTest {
  private static final int STEPS = 20;

  @TempDir static Path folder;

  private static TritonServer lasting;
  private static float[] undisturbed;

  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      boolean[][] computes = new boolean[STEPS][model.denoiser().branches().size()];
      for (int s = 0; s < STEPS; s++) {
        for (int b = 0; b < computes[s].length; b++) {
          computes[s][b] = s == 0 || (s + b) % 3 == 0; // every step stores some and reuses some
        }
      }
      List<Integer> timesteps = Spacing.LEADING.timesteps(STEPS, 1000);
      Router router = Exports.router("r", model, timesteps, computes, Reuse.LINEAR);
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

  static Stream<Integer> steps() {
    String steps = System.getProperty("failover", "0,7,18");
    return steps.equals("all")
        ? IntStream.range(0, STEPS).boxed()
        : Arrays.stream(steps.split(",")).map(Integer::valueOf);
  }

  /** Even steps: between two calls; odd ones: while the call runs. */
  @ParameterizedTest
  @MethodSource("steps")
  void serverKilledAtAStep_leavesThePictureAsItWas(int step) throws Exception {
    ExecutorService killer = Executors.newSingleThreadExecutor();
    try (TritonServer mortal = TritonServer.start(folder)) {
      Fleet fleet = Fleet.connect(mortal.address() + "," + lasting.address());
      HandleLedger handles = new HandleLedger(fleet);
      try (Pipeline pipeline = Pipeline.over(handles, "dit")) {
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
      }
    } finally {
      killer.shutdown();
    }
  }

  @Test
  void onlyServerKilled_endsTheRunWithOneLine_withinTheDeadline() throws Exception {
    Options options = new Options(Duration.ofSeconds(10));
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
