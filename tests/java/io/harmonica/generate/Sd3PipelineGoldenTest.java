package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trajectories of Stable Diffusion 3 against diffusers' {@code StableDiffusion3Pipeline}. */
@Tag("golden")
class Sd3PipelineGoldenTest {
  private static final int STEPS = 6;
  private static final int SIZE = 3; // steps of one request

  @TempDir Path folder;

  private Request export(String flavour, Checkpoint vectors) {
    JsonNode run = Golden.json(flavour + "/pipeline.json");
    try (Checkpoint source = Golden.open(flavour);
        Checkpoint vae = Golden.open("vae16")) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      Router all = Exports.staggered("all", model, STEPS, 1, Reuse.LAST);
      Router some = Exports.staggered("some", model, STEPS, 2, Reuse.LINEAR);
      ExportOptions options = ExportOptions.of("sd3").withStepsPerRequest(SIZE);
      Exporter exporter = new Exporter(model, List.of(atSchedule(all), atSchedule(some)), options);
      if (run.path("vae_scale_factor").asInt() == 2) {
        exporter.withDecoder(Autoencoder.of(vae));
      }
      exporter.withSampling(Exports.sampling(model, flavour)).export(folder);
    }
    return request(run, vectors);
  }

  static Request request(JsonNode run, Checkpoint vectors) {
    Content.Texts texts =
        new Content.Texts(embeddings(vectors, ""), Optional.of(embeddings(vectors, "negative_")));
    return Request.of(texts)
        .withSteps(STEPS)
        .withGuidance(run.path("guidance_scale").asDouble())
        .withLatents(PipelineGoldenTest.latents(vectors, "latents"));
  }

  /** The same router at the timesteps of the folder's scheduler, which shifts by 3. */
  static Router atSchedule(Router router) {
    Flow.Shift shift = new Flow.Shift(Flow.ShiftType.CONSTANT, 3);
    Flow flow = new Flow(1000, 1, shift, OptionalDouble.empty());
    return Exports.forSampler(
        router,
        router.sampler(),
        flow.sampler(router.sampler(), STEPS, Spacing.LINSPACE).timesteps());
  }

  private static Embeddings embeddings(Checkpoint vectors, String prefix) {
    return Golden.texts(vectors, prefix + "prompt_embeds", prefix + "pooled_prompt_embeds");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3/sd3", "sd3/sd35-medium"})
  void everyStep_isDiffusers_oneAndSeveralARequest(String flavour) {
    try (Checkpoint vectors = Golden.open(flavour + "/traj_cfg.safetensors")) {
      Request request = export(flavour, vectors);
      float[] states = floats(vectors, "x");
      float[] last = Arrays.copyOfRange(states, states.length / (STEPS + 1) * STEPS, states.length);
      try (Pipeline pipeline =
          Pipeline.builder("sd3").repository(folder).stepsPerRequest(1).open()) {
        assertThat(pipeline.guidanceScale(Style.DEFAULT)).isEqualTo(7);
        PipelineGoldenTest.check(pipeline, request, states, 1, new ArrayList<>());
        Latents alone = pipeline.generate(request).latents();
        Latents routed = pipeline.generate(request.withRouter("all")).latents();
        assertThat(routed.values()).isEqualTo(alone.values());
        Latents some = pipeline.generate(request.withRouter("some")).latents();
        assertThat(Golden.difference(some.values(), last)).isGreaterThan(1e-3);
        try (Pipeline several =
            Pipeline.builder("sd3").repository(folder).stepsPerRequest(SIZE).open()) {
          double tolerance = trajectoryTolerance(last);
          Latents together = several.generate(request).latents();
          assertClose("several steps a request", together.values(), last, tolerance);
          Latents someTogether = several.generate(request.withRouter("some")).latents();
          assertClose("the same routed", someTogether.values(), some.values(), tolerance);
        }
      }
    }
  }

  /** Through the autoencoder of 16 channels, whose latents are shifted. */
  @Test
  void pictures_areDiffusers() {
    try (Checkpoint vectors = Golden.open("sd3/sd3/traj_cfg.safetensors")) {
      Request request = export("sd3/sd3", vectors);
      try (Pipeline pipeline = Pipeline.open(folder, "sd3")) {
        Result result = pipeline.generate(request);
        assertClose(
            "pixels", pipeline.decode(result.latents()).values(), floats(vectors, "decoded"), 5e-5);
      }
    }
  }
}
