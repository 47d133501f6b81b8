package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.ForwardingRuntime;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.runtime.LostTensorsException;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cached outputs that are lost on the way come back exactly as they were. */
class ReplayTest {
  /** Parts of blocks: most steps that store also reuse, so replays reach back. */
  private static final List<String> MIXED =
      List.of("xxxxxx", "x..xxx", "xxx..x", "..xxxx", "xx..xx", "x.xx.x", "......", "x.....");

  private static final List<String> FORECASTS =
      List.of("xxxxxx", "......", "xxxxxx", "......", "......", "xxxxxx", "......", "......");

  @TempDir static Path folder;

  private static Path repository;

  @BeforeAll
  static void export() {
    repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      List<Router> routers =
          List.of(
              router("mixed", model, MIXED, Reuse.LAST),
              router("linear", model, FORECASTS, Reuse.LINEAR));
      ExportOptions options = ExportOptions.of("dit").withStepsPerRequest(3);
      new Exporter(model, routers, options).export(repository);
    }
  }

  private static Router router(String name, Model model, List<String> rows, Reuse reuse) {
    boolean[][] computes = new boolean[rows.size()][model.denoiser().branches().size()];
    for (int s = 0; s < computes.length; s++) {
      for (int b = 0; b < computes[s].length; b++) {
        computes[s][b] = rows.get(s).charAt(b) == 'x';
      }
    }
    List<Integer> timesteps = Spacing.LEADING.timesteps(rows.size(), 1000);
    return Exports.router(name, model, timesteps, computes, reuse);
  }

  private static float[] latents(Runtime runtime, String router) {
    try (Pipeline pipeline = Pipeline.over(runtime, "dit")) {
      Request request = Request.of(List.of(2, 1)).withRouter(router).withGuidance(4).withSeed(5);
      return pipeline.generate(request).latents().values();
    }
  }

  /** A runtime that now and then has lost what it cached, as a server's device memory would be. */
  private static class Forgetful extends ForwardingRuntime {
    private final Set<Integer> losses; // calls, counted from 0
    private final boolean everything;
    private final List<String> models = new ArrayList<>();
    private int calls;

    Forgetful(Runtime runtime, Set<Integer> losses, boolean everything) {
      super(runtime);
      this.losses = losses;
      this.everything = everything;
    }

    @Override
    public Map<String, Tensor> infer(
        String model, Map<String, Tensor> inputs, Set<String> outputs) {
      Set<String> cached =
          inputs.keySet().stream()
              .filter(name -> name.matches(".*\\.\\d"))
              .collect(Collectors.toCollection(TreeSet::new));
      if (losses.contains(calls++) && !cached.isEmpty()) {
        Set<String> lost = everything ? cached : Set.of(cached.iterator().next());
        throw new LostTensorsException("server a", lost);
      }
      models.add(model);
      return runtime.infer(model, inputs, outputs);
    }
  }

  @ParameterizedTest
  @CsvSource({"mixed, true", "mixed, false", "linear, true", "linear, false"})
  void outputsLostAtAnyStep_areRegainedExactly(String router, boolean everything) {
    float[] undisturbed = latents(EmbeddedRuntime.open(repository), router);
    for (int step = 1; step < MIXED.size(); step++) {
      HandleLedger handles = new HandleLedger(EmbeddedRuntime.open(repository));
      Forgetful runtime = new Forgetful(handles, Set.of(step), everything);
      assertThat(latents(runtime, router)).as("lost at step " + step).isEqualTo(undisturbed);
      assertThat(handles.open()).isEmpty();
    }
  }

  /** Steps 0-2 and 3-5 are a request each, 6 and 7 go one by one. */
  @ParameterizedTest
  @CsvSource({"mixed, true", "mixed, false", "linear, true", "linear, false"})
  void outputsLostBetweenStretches_areRegainedExactly(String router, boolean everything) {
    float[] undisturbed = stretched(EmbeddedRuntime.open(repository), router);
    Golden.assertClose(
        "latents", undisturbed, latents(EmbeddedRuntime.open(repository), router), 1e-4);
    for (int call = 1; call < 4; call++) {
      HandleLedger handles = new HandleLedger(EmbeddedRuntime.open(repository));
      Forgetful runtime = new Forgetful(handles, Set.of(call), everything);
      assertThat(stretched(runtime, router)).as("lost at call " + call).isEqualTo(undisturbed);
      assertThat(runtime.calls).as("replays").isGreaterThan(5);
      assertThat(handles.open()).isEmpty();
    }
  }

  private static float[] stretched(Runtime runtime, String router) {
    try (Pipeline pipeline = Pipeline.over(runtime, "dit").withStepsPerRequest(3)) {
      Request request = Request.of(List.of(2, 1)).withRouter(router).withGuidance(4).withSeed(5);
      return pipeline.generate(request).latents().values();
    }
  }

  @Test
  void outputsLostAgainInTheReplay_areRegainedExactly() {
    float[] undisturbed = latents(EmbeddedRuntime.open(repository), "mixed");
    for (int first = 3; first < 8; first++) {
      for (int second = first + 2; second < first + 5; second++) {
        HandleLedger handles = new HandleLedger(EmbeddedRuntime.open(repository));
        Forgetful runtime = new Forgetful(handles, Set.of(first, second, second + 1), true);
        assertThat(latents(runtime, "mixed")).isEqualTo(undisturbed);
        assertThat(handles.open()).isEmpty();
      }
    }
  }

  @Test
  void replay_runsTheStepThatComputedThem_andNoOther() {
    Forgetful runtime = new Forgetful(EmbeddedRuntime.open(repository), Set.of(3), true);
    latents(runtime, "linear");
    // Step 3 forecasts from steps 0 and 2, which computed everything.
    assertThat(runtime.models.subList(0, 6))
        .containsExactly(
            "dit-linear-route00",
            "dit-linear-route01",
            "dit-linear-route00",
            "dit-linear-route00",
            "dit-linear-route00",
            "dit-linear-route02");
  }

  @Test
  void inputsThatNobodyCanMakeAgain_endTheRun() {
    HandleLedger handles = new HandleLedger(EmbeddedRuntime.open(repository));
    Runtime runtime =
        new Forgetful(handles, Set.of(), true) {
          @Override
          public Map<String, Tensor> infer(
              String model, Map<String, Tensor> inputs, Set<String> outputs) {
            throw new LostTensorsException("server a", Set.of("sample"));
          }
        };
    assertThatThrownBy(() -> latents(runtime, "mixed"))
        .isInstanceOf(LostTensorsException.class)
        .hasMessage("server a went away with cached outputs [sample]: start the generation again");
    assertThat(handles.open()).isEmpty();
  }
}
