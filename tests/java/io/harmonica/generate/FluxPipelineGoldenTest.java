package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.PackedLatents;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trajectories of FLUX.1 against diffusers' {@code FluxPipeline}. */
@Tag("golden")
class FluxPipelineGoldenTest {
  @TempDir Path folder;

  private Request export(String flavour, Checkpoint vectors) {
    JsonNode run = Golden.json(flavour + "/pipeline.json");
    int pixels = run.path("vae_scale_factor").asInt();
    Resolution size = new Resolution(run.path("height").asInt(), run.path("width").asInt());
    Choices choices =
        Choices.NONE
            .withPixelsPerElement(pixels)
            .withResolution(size)
            .withTextTokens(size(vectors, "prompt_embeds", 1));
    int channels = size(vectors, "latents", 2) / 4;
    try (Checkpoint source = Golden.open(flavour);
        Checkpoint vae = Golden.open("vae16")) {
      Model model = Model.of(source, choices);
      Exporter exporter =
          new Exporter(model, List.of(), ExportOptions.of("flux").withStepsPerRequest(2));
      if (channels == 16) {
        exporter.withDecoder(Autoencoder.of(vae));
      }
      exporter
          .withSampling(
              model
                  .denoiser()
                  .io()
                  .sampling()
                  .withScheduler(path(flavour + "/scheduler/scheduler_config.json")))
          .export(folder);
    }
    int height = size.height() / pixels;
    int width = size.width() / pixels;
    float[] start = new PackedLatents(channels, height, width).unpack(floats(vectors, "latents"));
    Optional<Embeddings> negative =
        vectors.names().contains("negative_prompt_embeds")
            ? Optional.of(embeddings(vectors, "negative_"))
            : Optional.empty();
    return Request.of(new Content.Texts(embeddings(vectors, ""), negative))
        .withSteps(run.path("steps").asInt())
        .withLatents(new Latents(start, size(vectors, "latents", 0), channels, height, width));
  }

  private static Embeddings embeddings(Checkpoint vectors, String prefix) {
    return Golden.texts(vectors, prefix + "prompt_embeds", prefix + "pooled_prompt_embeds");
  }

  /** Of dev the scale of guidance, 3.5, is the model's own default; schnell is told none. */
  @ParameterizedTest
  @ValueSource(strings = {"flux/dev", "flux/schnell"})
  void everyStep_isDiffusers_oneAndSeveralARequest(String flavour) {
    try (Checkpoint vectors = Golden.open(flavour + "/traj_plain.safetensors")) {
      Request request = export(flavour, vectors);
      checkAgainst(request, vectors);
    }
  }

  private void checkAgainst(Request request, Checkpoint vectors) {
    Latents start = request.latents().orElseThrow();
    float[] states =
        new PackedLatents(start.channels(), start.height(), start.width())
            .unpack(floats(vectors, "x"));
    float[] last = Arrays.copyOfRange(states, states.length - start.values().length, states.length);
    try (Pipeline pipeline = Pipeline.builder("flux").repository(folder).stepsPerRequest(1).open();
        Pipeline several = Pipeline.builder("flux").repository(folder).stepsPerRequest(2).open()) {
      PipelineGoldenTest.check(pipeline, request, states, 1, new ArrayList<>());
      assertClose(
          "several steps a request",
          several.generate(request).latents().values(),
          last,
          trajectoryTolerance(last));
    }
  }

  /** A second row for the negative text, which is told the same scale of guidance. */
  @Test
  void trueCfg_isDiffusers_oneAndSeveralARequest() {
    try (Checkpoint vectors = Golden.open("flux/dev/traj_true_cfg.safetensors")) {
      Request plain = export("flux/dev", vectors);
      double scale =
          Golden.json("flux/dev/pipeline.json")
              .at("/trajectories/true_cfg/true_cfg_scale")
              .asDouble();
      checkAgainst(plain.withTrueCfg(scale), vectors);
      try (Pipeline pipeline = Pipeline.open(folder, "flux")) {
        assertThat(pipeline.rows(plain.withTrueCfg(scale).style())).isEqualTo(2);
        Latents without = pipeline.generate(plain.withTrueCfg(1)).latents();
        assertThat(without.values()).isEqualTo(pipeline.generate(plain).latents().values());
        Content.Texts texts = (Content.Texts) plain.content();
        Request nothing = plain.withContent(new Content.Texts(texts.positive(), Optional.empty()));
        assertThatThrownBy(() -> pipeline.generate(nothing.withTrueCfg(scale)))
            .isInstanceOf(HarmonicaException.class)
            .hasMessageContaining("guidance 2.5 needs a negative text")
            .hasMessageEndingWith("add it, or use no `trueCfg`");
      }
    }
  }

  @Test
  void trueCfg_ofAModelThatIsToldNoScale_isRefused() {
    try (Checkpoint vectors = Golden.open("flux/schnell/traj_plain.safetensors")) {
      Request request = export("flux/schnell", vectors).withTrueCfg(2);
      try (Pipeline pipeline = Pipeline.open(folder, "flux")) {
        assertThatThrownBy(() -> pipeline.generate(request))
            .isInstanceOf(HarmonicaException.class)
            .hasMessage(
                "`trueCfg` 2.0 is for models that are told a scale of guidance, and flux is not:"
                    + " its guidance is a second row already, use `guidance`");
      }
    }
  }

  @Test
  void guidance_isToldTheModel_andPicturesAreDiffusers() {
    try (Checkpoint vectors = Golden.open("flux/dev/traj_plain.safetensors")) {
      Request request = export("flux/dev", vectors);
      try (Pipeline pipeline = Pipeline.open(folder, "flux")) {
        assertThat(pipeline.guidanceScale(Style.DEFAULT)).isEqualTo(3.5);
        assertThat(pipeline.rows(Style.DEFAULT)).isEqualTo(1);
        Latents usual = pipeline.generate(request).latents();
        assertClose("pixels", pipeline.decode(usual).values(), floats(vectors, "decoded"), 5e-5);
        Latents other = pipeline.generate(request.withGuidance(2)).latents();
        assertThat(Golden.difference(other.values(), usual.values())).isGreaterThan(1e-3);
        assertThatThrownBy(() -> pipeline.generate(request.withGuidanceChannels(3)))
            .isInstanceOf(HarmonicaException.class)
            .hasMessageContaining("is told the scale of guidance");
      }
    }
  }
}
