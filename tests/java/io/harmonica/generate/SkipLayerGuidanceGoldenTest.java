package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.Inference;
import io.harmonica.InvalidProperty;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.metrics.Metrics;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.runtime.Runtime;
import io.harmonica.sampler.SkipLayerGuidance;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Skip-layer guidance against diffusers' {@code StableDiffusion3Pipeline}, and its mathematics. */
@Tag("golden")
class SkipLayerGuidanceGoldenTest {
  private static final String FLAVOUR = "sd3/sd35-medium";
  private static final int STEPS = 6;

  @TempDir Path folder;

  private final JsonNode run = Golden.json(FLAVOUR + "/pipeline.json");
  private final JsonNode own = run.path("trajectories").path("skip_layer_guidance");
  private final SkipLayerGuidance guidance =
      new SkipLayerGuidance(
          own.path("skip_layer_guidance_scale").asDouble(),
          own.path("skip_layer_guidance_start").asDouble(),
          own.path("skip_layer_guidance_stop").asDouble());

  private Checkpoint vectors() {
    return Golden.open(FLAVOUR + "/" + own.path("file").asText());
  }

  private Set<Integer> blocks() {
    return Set.copyOf(Golden.integers(own.path("skip_guidance_layers")));
  }

  private Request request(Checkpoint vectors) {
    return Sd3PipelineGoldenTest.request(run, vectors).withSkipLayerGuidance(guidance);
  }

  private void export(Checkpoint vectors, ExportOptions options, Set<Integer> without) {
    try (Checkpoint source = Golden.open(FLAVOUR)) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      Router all = Exports.staggered("all", model, STEPS, 1, Reuse.LAST);
      Router some = Exports.staggered("some", model, STEPS, 2, Reuse.LINEAR);
      Exporter exporter =
          new Exporter(
              model,
              List.of(
                  Sd3PipelineGoldenTest.atSchedule(all), Sd3PipelineGoldenTest.atSchedule(some)),
              options);
      if (!without.isEmpty()) {
        exporter.withSkipLayers(without);
      }
      exporter
          .withSampling(Exports.sampling(model, FLAVOUR))
          .withWholePictures(List.of("all"))
          .export(folder);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "all", "branch"})
  void everyStep_isDiffusers(String engines) {
    EngineSize size =
        switch (engines) {
          case "all" -> EngineSize.STEP;
          case "branch" -> EngineSize.BRANCH;
          default -> EngineSize.ofBlocks(Integer.parseInt(engines));
        };
    try (Checkpoint vectors = vectors()) {
      export(vectors, ExportOptions.of("sd3").withEngines(size), blocks());
      try (HandleLedger ledger = new HandleLedger(EmbeddedRuntime.open(folder));
          Pipeline pipeline = Pipeline.over(ledger, "sd3")) {
        Request request = request(vectors);
        PipelineGoldenTest.check(pipeline, request, floats(vectors, "x"), 1, new ArrayList<>());
        float[] alone = pipeline.generate(request).latents().values();
        float[] routed = pipeline.generate(request.withRouter("all")).latents().values();
        assertThat(routed).isEqualTo(alone);
        assertThat(ledger.given()).isPositive();
        assertThat(ledger.open()).isEmpty();
        float[] plain =
            pipeline.generate(Sd3PipelineGoldenTest.request(run, vectors)).latents().values();
        assertThat(Golden.difference(plain, alone)).isGreaterThan(1e-2);
      }
    }
  }

  /** A runtime that shares no memory makes the condition at each step, for the pass too. */
  @Test
  void everyStep_isDiffusers_withoutConditionsAhead() {
    try (Checkpoint vectors = vectors()) {
      export(vectors, ExportOptions.of("sd3"), blocks());
      CountingRuntime runtime = new CountingRuntime(EmbeddedRuntime.open(folder));
      try (Pipeline pipeline = Pipeline.over(runtime, "sd3")) {
        Request request = request(vectors);
        PipelineGoldenTest.check(pipeline, request, floats(vectors, "x"), 1, new ArrayList<>());
        assertThat(runtime.open()).isZero();
        String skipping = Names.skipping("sd3"); // at k of 0.06 < k < 2.4
        assertThat(runtime.models())
            .containsExactly("sd3", skipping, "sd3", skipping, "sd3", "sd3", "sd3", "sd3");
      }
    }
  }

  /** With a router that reuses: what its calls predict, and a pass that computes all it runs. */
  @Test
  void reusingRouter_isItsMathematics() {
    try (Checkpoint vectors = vectors();
        EmbeddedRuntime runtime = exported(vectors);
        Pipeline pipeline = Pipeline.open(folder, "sd3")) {
      Request request = request(vectors).withRouter("some");
      float[] sigmas = floats(vectors, "sigmas");
      double scale = run.path("guidance_scale").asDouble();
      float[] x = request.latents().orElseThrow().values().clone();
      List<Integer> guided = new ArrayList<>();
      pipeline.generate(
          request,
          step -> {
            FloatBuffer both = step.prediction(); // the negative text's first
            float[] skipped = skipped(runtime, vectors, x, sigmas[step.step()] * 1000);
            boolean acts = 0.01 * STEPS < step.step() && step.step() < 0.4 * STEPS;
            for (int i = 0; i < x.length; i++) {
              float negative = both.get(i);
              float positive = both.get(x.length + i);
              double e = negative + scale * (positive - negative);
              e += acts ? 2.8 * (positive - skipped[i]) : 0;
              x[i] += (float) ((sigmas[step.step() + 1] - sigmas[step.step()]) * e);
            }
            if (acts) {
              guided.add(step.step());
            }
            float[] found = step.latentsCopy();
            assertClose("step " + step.step(), found, x, Golden.trajectoryTolerance(x));
            System.arraycopy(found, 0, x, 0, x.length);
            return true;
          });
      assertThat(guided).containsExactly(1, 2);
      float[] uncached = pipeline.generate(request(vectors)).latents().values();
      assertThat(Golden.difference(x, uncached)).isGreaterThan(1e-3);
    }
  }

  private EmbeddedRuntime exported(Checkpoint vectors) {
    export(vectors, ExportOptions.of("sd3"), blocks());
    return EmbeddedRuntime.open(folder);
  }

  /** Of the positive texts alone. */
  private static float[] skipped(Runtime runtime, Checkpoint vectors, float[] x, float timestep) {
    float[] times = {timestep, timestep};
    Map<String, Object> inputs = new HashMap<>();
    inputs.put(Names.SAMPLE, x.clone());
    inputs.put(Names.TIMESTEP, times);
    inputs.put(Names.TEXT_EMBEDDING, floats(vectors, "prompt_embeds"));
    inputs.put(Names.POOLED_TEXT, floats(vectors, "pooled_prompt_embeds"));
    return Inference.run(runtime, Names.skipping("sd3"), 2, inputs).get(Names.NOISE_PREDICTION);
  }

  /** Where nothing leads away from a negative text, it still leads away from the pass. */
  @Test
  void withoutClassifierFreeGuidance_itActsAlone() {
    try (Checkpoint vectors = vectors();
        EmbeddedRuntime runtime = exported(vectors);
        Pipeline pipeline = Pipeline.open(folder, "sd3")) {
      Request request = request(vectors).withGuidance(1);
      float[] sigmas = floats(vectors, "sigmas");
      float[] x = request.latents().orElseThrow().values().clone();
      pipeline.generate(
          request,
          step -> {
            float[] skipped = skipped(runtime, vectors, x, sigmas[step.step()] * 1000);
            boolean acts = step.step() == 1 || step.step() == 2;
            for (int i = 0; i < x.length; i++) {
              double e = step.prediction().get(i);
              e += acts ? 2.8 * (e - skipped[i]) : 0;
              x[i] += (float) ((sigmas[step.step() + 1] - sigmas[step.step()]) * e);
            }
            assertClose(
                "step " + step.step(), step.latentsCopy(), x, Golden.trajectoryTolerance(x));
            return true;
          });
    }
  }

  /** The passes are counted as computed. */
  @Test
  void metrics_countThePasses() {
    try (Checkpoint vectors = vectors()) {
      export(vectors, ExportOptions.of("sd3"), blocks());
      Map<String, Double> plain = counted(Sd3PipelineGoldenTest.request(run, vectors));
      Map<String, Double> guided = counted(request(vectors));
      // 2 steps, 2 pictures, of 4 blocks' 13 branches those of 0 and 3: 4 and 2
      assertThat(guided.get("branches") - plain.get("branches")).isEqualTo(2 * 2 * 6);
      assertThat(guided.get("flops") - plain.get("flops")).isPositive();
      assertThat(guided.get("flops") / plain.get("flops"))
          .isCloseTo(1 + 4.0 / 24 * 0.5, within(0.05)); // about half of the pass, 4 rows of 24
    }
  }

  private Map<String, Double> counted(Request request) {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    try (Pipeline pipeline =
        Pipeline.builder("sd3").repository(folder).metrics(new Metrics(registry)).open()) {
      pipeline.generate(request);
    }
    Map<String, Double> counts = new HashMap<>();
    for (String name : List.of("branches", "flops")) {
      counts.put(name, registry.get("harmonica." + name).tag("how", "computed").counter().count());
    }
    return counts;
  }

  @Test
  void whatCannotBe_isRefused() {
    try (Checkpoint vectors = vectors()) {
      export(vectors, ExportOptions.of("sd3").withStepsPerRequest(3), blocks());
      Request request = request(vectors);
      try (Pipeline several = Pipeline.builder("sd3").repository(folder).stepsPerRequest(3).open();
          Pipeline whole = Pipeline.builder("sd3").repository(folder).whole().open();
          Pipeline single = Pipeline.open(folder, "sd3")) {
        refused(several, request, "`stepsPerRequest` 3 several steps in one request: use");
        refused(
            whole,
            request.withRouter("all"),
            "and `whole` all steps in one request: leave one of the two out");
        refused(
            single,
            request.withSkipLayerGuidance(new SkipLayerGuidance(2.8, 0.01, 0.1)),
            "`skipLayerGuidance` from 0.01 to 0.1 acts at none of 6 steps (k from 0, 0.06 < k <");
      }
    }
    assertThatThrownBy(() -> SkipLayerGuidance.of(0))
        .isInstanceOf(InvalidProperty.class)
        .hasMessage("`skipLayerGuidance` scale 0.0 must be a number above 0");
    assertThatThrownBy(() -> new SkipLayerGuidance(1, 0.2, 0.2))
        .isInstanceOf(InvalidProperty.class)
        .hasMessageContaining("from 0.2 to 0.2 of the steps must be a range within 0 to 1");
  }

  @Test
  void exportWithoutThePass_refusesRequests() {
    try (Checkpoint vectors = vectors()) {
      export(vectors, ExportOptions.of("sd3"), Set.of());
      try (Pipeline pipeline = Pipeline.open(folder, "sd3")) {
        refused(
            pipeline,
            request(vectors),
            "model sd3 has no pass without blocks for `skipLayerGuidance`: leave it out, or export");
      }
    }
  }

  private static void refused(Pipeline pipeline, Request request, String words) {
    assertThatThrownBy(() -> pipeline.generate(request))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(words);
    assertThatThrownBy(() -> pipeline.check(request)).hasMessageContaining(words);
  }

  @Test
  void blocksThatAreNotThere_andOtherModels_areRefused() {
    try (Checkpoint source = Golden.open(FLAVOUR);
        Checkpoint flux = Golden.open("flux/dev");
        Checkpoint vectors = vectors()) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      refused(model, Set.of(1, 4), "`skipLayers` 1,4 must name some of the blocks 0..3 of SD3.5");
      refused(model, Set.of(), "`skipLayers`  must name some of the blocks 0..3");
      refused(model, Set.of(0, 1, 2, 3), "`skipLayers` 0,1,2,3 leaves out all blocks of SD3.5");
      Choices choices = Choices.NONE.withResolution(new Resolution(48, 80)).withTextTokens(7);
      refused(
          Model.of(flux, choices),
          Set.of(1),
          "`skipLayers` 1 is for Stable Diffusion 3, which is guided by a pass without some");
    }
  }

  private static void refused(Model model, Set<Integer> blocks, String words) {
    Exporter exporter = new Exporter(model, List.of(), ExportOptions.of("m"));
    assertThatThrownBy(() -> exporter.withSkipLayers(blocks))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(words);
  }

  /** diffusers' rule, at the ends of the range too. */
  @Test
  void steps_areStrictlyWithin() {
    List<Integer> acting = new ArrayList<>();
    for (int k = 0; k < 28; k++) {
      if (SkipLayerGuidance.of(2.8).actsAt(k, 28)) {
        acting.add(k);
      }
    }
    assertThat(acting).isEqualTo(Arrays.asList(1, 2, 3, 4, 5)); // 0.28 < k < 5.6
    assertThat(new SkipLayerGuidance(1, 0, 0.5).actsAt(0, 4)).isFalse();
    assertThat(new SkipLayerGuidance(1, 0, 0.5).actsAt(1, 4)).isTrue();
    assertThat(new SkipLayerGuidance(1, 0, 0.5).actsAt(2, 4)).isFalse();
  }
}
