package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.Choices;
import io.harmonica.model.Model;
import io.harmonica.model.Resolution;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.sampler.Spacing;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
      ExportOptions options = ExportOptions.of("dit").withForce(true).withStepsPerRequest(SIZE);
      new Exporter(model, routers, options).export(repository);
      ExportOptions whole =
          new ExportOptions("whole", options.precision(), options.platform(), 0, 16, false)
              .withStepsPerRequest(SIZE);
      new Exporter(model, routers.subList(1, 2), whole).export(repository);
    }
    try (Checkpoint source = Checkpoint.open(Path.of("tests/golden/pixart/alpha-1024-like"))) {
      Choices choices = Choices.NONE.withPixelsPerElement(2).withTextTokens(9);
      Model model = Model.of(source, choices.withResolution(new Resolution(24, 16)));
      Router router = router("linear", model, Reuse.LINEAR, new Random(5));
      ExportOptions options = ExportOptions.of("pixart").withForce(true);
      new Exporter(model, List.of(router), options.withStepsPerRequest(2)).export(repository);
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
    "whole, linear, 4"
  })
  void latents_ofSeveralStepsARequest_areThoseStepByStep(
      String model, String router, double guidance) {
    try (Pipeline far =
            Pipeline.builder(model).repository(repository).stepsPerRequest(SIZE).open();
        Pipeline near = Pipeline.open(repository, model)) {
      for (Spacing spacing : List.of(Spacing.LEADING, Spacing.of("openai"))) {
        if (!router.equals(Request.NO_ROUTER) && spacing != Spacing.LEADING) {
          continue; // the routers' own
        }
        Request request = request(router, guidance).withSpacing(spacing);
        assertSame(
            far.generate(request).latents().values(), near.generate(request).latents().values());
      }
    }
  }

  @Test
  void latents_ofTexts_areThoseStepByStep() {
    Random random = new Random(3);
    float[] values = new float[2 * 7 * 18];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    long[] mask = new long[2 * 7];
    java.util.Arrays.fill(mask, 1);
    Embeddings texts = new Embeddings(values, mask, 2, 7, 18);
    Request request =
        Request.of(new Content.Texts(texts, Optional.of(texts.rows(1, 2))))
            .withSampler("ddim")
            .withRouter("linear");
    try (Pipeline far =
            Pipeline.builder("pixart").repository(repository).stepsPerRequest(2).open();
        Pipeline near = Pipeline.open(repository, "pixart")) {
      assertSame(
          far.generate(request).latents().values(), near.generate(request).latents().values());
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
                + " harmonica-export --steps-per-request 5");
    assertThat(runtime.closed()).isTrue();
  }

  @Test
  void export_ofRouterForAnotherSampler_leavesOutItsStretches() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Router ddim = router("other", model, Reuse.LAST, new Random(1));
      Router other =
          new Router(
              "other",
              ddim.model(),
              "sa-solver",
              ddim.steps(),
              Exporter.usual(model.denoiser().io())
                  .sampler("sa-solver", ddim.steps(), Optional.empty())
                  .timesteps(),
              ddim.threshold(),
              ddim.branches(),
              ddim.scores(),
              ddim.reuse(),
              ddim.training());
      ExportOptions options = ExportOptions.of("dit").withStepsPerRequest(2);
      Exporter exporter = new Exporter(model, List.of(other), options);
      assertThat(exporter.withoutStretches()).containsExactly("other");
      assertThat(exporter.dryRun().stream().map(Exporter.Entry::name))
          .contains("dit-none-stretch00", "dit-other-route00")
          .noneMatch(name -> name.startsWith("dit-other-stretch"));
    }
  }
}
