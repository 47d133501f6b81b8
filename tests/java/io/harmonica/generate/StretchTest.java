package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Spacing;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several steps in one request: the same pictures as step by step. */
class StretchTest {
  private static final int STEPS = 8;
  private static final int SIZE = 3; // so two steps are left over

  /**
   * Relative to {@code max(1, |x|)}: the server's sampler rounds guidance to fp32 at every step,
   * the client's once, and OpenAI's order of operations differs; a model of random weights
   * amplifies it.
   */
  private static final double TOLERANCE = 5e-5;

  private static final List<Integer> SOLVED = Spacing.LINSPACE.solverTimesteps(STEPS, 1000);

  @TempDir static Path repository;

  @BeforeAll
  static void export() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      List<Router> routers = new ArrayList<>();
      for (Reuse reuse : List.of(Reuse.LAST, Reuse.LINEAR)) {
        String name = reuse == Reuse.LAST ? "last" : "linear";
        routers.add(router(name, model, reuse, new Random(3)));
      }
      Router linear = router("solved", model, Reuse.LINEAR, new Random(3));
      routers.add(Exports.forSampler(linear, "dpm-solver++", SOLVED));
      ExportOptions options = ExportOptions.of("dit").withForce(true).withStepsPerRequest(SIZE);
      new Exporter(model, routers, options).export(repository);
      ExportOptions whole =
          new ExportOptions("whole", options.precision(), options.platform(), 0, 16, false)
              .withStepsPerRequest(SIZE);
      new Exporter(model, routers.subList(1, 3), whole).export(repository);
    }
    try (Checkpoint source = Checkpoint.open(Path.of("tests/golden/pixart/alpha-1024-like"))) {
      Choices choices = Choices.NONE.withPixelsPerElement(2).withTextTokens(9);
      Model model = Model.of(source, choices.withResolution(new Resolution(24, 16)));
      Router router = router("linear", model, Reuse.LINEAR, new Random(5));
      Router solved = router("solved", model, Reuse.LINEAR, new Random(5));
      solved = Exports.forSampler(solved, "dpm-solver++", SOLVED);
      ExportOptions options = ExportOptions.of("pixart").withForce(true).withStepsPerRequest(2);
      new Exporter(model, List.of(router, solved), options).export(repository);
    }
  }

  private static Router router(String name, Model model, Reuse reuse, Random random) {
    boolean[][] computes = new boolean[STEPS][model.denoiser().branches().size()];
    for (int s = 0; s < STEPS; s++) {
      for (int b = 0; b < computes[s].length; b++) {
        computes[s][b] = s == 0 || random.nextInt(3) == 0;
      }
    }
    return Exports.router(name, model, Spacing.LEADING.timesteps(STEPS, 1000), computes, reuse);
  }

  private static Request request(String router, double guidance) {
    Request request =
        Request.of(List.of(2, 0, 1)).withRouter(router).withGuidance(guidance).withSeed(9);
    return router.equals(Request.NO_ROUTER) ? request.withSteps(STEPS) : request;
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

  @ParameterizedTest
  @CsvSource({
    "dit, none, 4",
    "dit, last, 4",
    "dit, linear, 4",
    "dit, linear, 1",
    "whole, linear, 4",
    "dit, solved, 4",
    "dit, solved, 1",
    "whole, solved, 4"
  })
  void latents_ofSeveralStepsARequest_areThoseStepByStep(
      String model, String router, double guidance) {
    try (Pipeline far =
            Pipeline.builder(model).repository(repository).stepsPerRequest(SIZE).open();
        Pipeline near = Pipeline.open(repository, model)) {
      Spacing own = router.equals("solved") ? Spacing.LINSPACE : Spacing.LEADING;
      for (Spacing spacing : List.of(own, Spacing.of("openai"))) {
        if (!router.equals(Request.NO_ROUTER) && spacing != own) {
          continue; // the routers' own
        }
        Request request = request(router, guidance).withSpacing(spacing);
        assertSame(
            far.generate(request).latents().values(), near.generate(request).latents().values());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "solved", "none"})
  void latents_ofTexts_areThoseStepByStep(String router) {
    Random random = new Random(3);
    float[] values = new float[2 * 7 * 18];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    long[] mask = new long[2 * 7];
    java.util.Arrays.fill(mask, 1);
    Embeddings texts = new Embeddings(values, mask, 2, 7, 18);
    Request request =
        Request.of(new Content.Texts(texts, Optional.of(texts.rows(1, 2)))).withRouter(router);
    if (router.equals("linear")) {
      request = request.withSampler("ddim");
    } else if (router.equals(Request.NO_ROUTER)) {
      request = request.withSteps(STEPS);
    }
    try (Pipeline far =
            Pipeline.builder("pixart").repository(repository).stepsPerRequest(2).open();
        Pipeline near = Pipeline.open(repository, "pixart")) {
      List<Integer> seen = new ArrayList<>();
      Result result = far.generate(request, step -> seen.add(step.step()));
      assertThat(seen).startsWith(1, 3, 5, 7);
      assertSame(result.latents().values(), near.generate(request).latents().values());
    }
  }

  /** What lies there before the first step may be anything. */
  @Test
  void state_isNotReadWhereItsNumberIs0_andHandedOnWhereItIsNot() {
    int size = 4 * 8 * 8;
    float[] sample = new float[size];
    float[] prediction = new float[2 * size]; // with a variance
    float[] state = new float[size];
    for (int i = 0; i < size; i++) {
      sample[i] = i;
      prediction[i] = 1;
      state[i] = Float.NaN;
    }
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository)) {
      float[][] made = step(runtime, sample, prediction, state, 1, 8, 2, 3, 2, -1, 0);
      for (int i = 0; i < size; i++) {
        assertThat(made[1][i]).isEqualTo(0.5f * i + 4);
        assertThat(made[0][i]).isEqualTo(3f * i + 2 * made[1][i] - 1);
      }
      float[][] next = step(runtime, sample, prediction, made[1], 0, 5, 1, 2, 0, 0, 10);
      for (int i = 0; i < size; i++) {
        assertThat(next[1][i]).isEqualTo(5);
        assertThat(next[0][i]).isEqualTo(2f * i + 10 * (5 - (0.5f * i + 4)));
      }
    }
  }

  private static float[][] step(
      Runtime runtime, float[] sample, float[] prediction, float[] state, float... numbers) {
    Map<String, Tensor> inputs =
        Map.of(
            "sample", runtime.tensor(FloatBuffer.wrap(sample), 1, 4, 8, 8),
            "noise_prediction", runtime.tensor(FloatBuffer.wrap(prediction), 1, 8, 8, 8),
            "state", runtime.tensor(FloatBuffer.wrap(state), 1, 4, 8, 8),
            "update", runtime.tensor(FloatBuffer.wrap(numbers), 1, 7),
            "guidance", runtime.tensor(FloatBuffer.wrap(new float[] {1, 1, 1, 1}), 1, 4),
            "conditional", runtime.tensor(LongBuffer.wrap(new long[1]), 1, 1),
            "unconditional", runtime.tensor(LongBuffer.wrap(new long[1]), 1, 1));
    Map<String, Tensor> made =
        runtime.infer("dit-sampler", inputs, Set.of("next_sample", "next_state"));
    float[][] values = new float[2][sample.length];
    made.get("next_sample").floats().get(values[0]);
    made.get("next_state").floats().get(values[1]);
    inputs.values().forEach(Tensor::close);
    made.values().forEach(Tensor::close);
    return values;
  }

  /** The ensembles without a router are for any sampler whose steps are numbers. */
  @Test
  void latents_ofSolverWithoutRouter_areThoseStepByStep() {
    CountingRuntime counting = new CountingRuntime(EmbeddedRuntime.open(repository));
    Request request = request(Request.NO_ROUTER, 4).withSampler("dpm-solver++");
    try (Pipeline far = Pipeline.builder("dit").runtime(counting).stepsPerRequest(SIZE).open();
        Pipeline near = Pipeline.open(repository, "dit")) {
      assertSame(
          far.generate(request).latents().values(), near.generate(request).latents().values());
      assertThat(counting.models()).hasSize(4);
    }
  }

  @Test
  void requests_areFewer_andNoHandleStaysOpen() {
    HandleLedger ledger = new HandleLedger(EmbeddedRuntime.open(repository));
    CountingRuntime counting = new CountingRuntime(ledger);
    List<Integer> seen = new ArrayList<>();
    try (Pipeline pipeline =
        Pipeline.builder("dit").runtime(counting).stepsPerRequest(SIZE).open()) {
      pipeline.generate(
          request("linear", 4),
          step -> {
            assertThat(step.prediction().remaining()).isPositive();
            return seen.add(step.step());
          });
      assertThat(counting.models()).hasSize(4);
      assertThat(counting.models().subList(0, 2))
          .allMatch(model -> model.startsWith("dit-linear-stretch"));
      assertThat(counting.models().subList(2, 4))
          .allMatch(model -> model.startsWith("dit-linear-route"));
      assertThat(seen).containsExactly(2, 5, 6, 7);
      assertThat(counting.open()).isZero();
      assertThat(ledger.open()).isEmpty();
    }
  }

  @Test
  void samplerWithNoise_goesStepByStep_andSaysSoOnce() {
    CountingRuntime counting = new CountingRuntime(EmbeddedRuntime.open(repository));
    try (Pipeline pipeline =
        Pipeline.builder("dit").runtime(counting).stepsPerRequest(SIZE).open()) {
      String log = logged(() -> pipeline.generate(request("linear", 4).withEta(0.5)));
      assertThat(counting.models()).hasSize(STEPS);
      assertThat(log)
          .contains(
              "model dit with router linear goes step by step, not 3 steps in a request: no engine"
                  + " makes the steps of its sampler");
      assertThat(logged(() -> pipeline.generate(request("linear", 4).withEta(0.5)))).isEmpty();
      assertThat(logged(() -> pipeline.generate(request("last", 4)))).isEmpty();
    }
  }

  @Test
  void samplerWithNoise_ofAPipelineThatWasAskedForNothing_isSilent() {
    try (Pipeline pipeline = Pipeline.open(repository, "dit")) {
      assertThat(logged(() -> pipeline.generate(request("linear", 4).withEta(0.5)))).isEmpty();
    }
  }

  private static String logged(Runnable body) {
    PrintStream before = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      body.run();
    } finally {
      System.setErr(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void otherNumberOfSteps_isRefused_withWhatThereIs() {
    CountingRuntime runtime = new CountingRuntime(EmbeddedRuntime.open(repository));
    assertThatThrownBy(() -> Pipeline.builder("dit").runtime(runtime).stepsPerRequest(5).open())
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "model dit has ensembles for 1 or 3, not for 5 steps in one request: export it with"
                + " harmonica-export `stepsPerRequest` 5");
    assertThat(runtime.closed()).isTrue();
  }

  @Test
  void export_ofRouterForAnotherSampler_leavesOutItsStretches() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Router ddim = router("other", model, Reuse.LAST, new Random(1));
      Router other = Exports.forSampler(ddim, "sa-solver", SOLVED);
      ExportOptions options = ExportOptions.of("dit").withStepsPerRequest(2);
      Exporter exporter = new Exporter(model, List.of(other), options);
      assertThat(exporter.withoutStretches()).containsExactly("other");
      assertThat(exporter.dryRun().stream().map(Exporter.Entry::name))
          .contains("dit-none-stretch00", "dit-other-route00")
          .noneMatch(name -> name.startsWith("dit-other-stretch"));
    }
  }
}
