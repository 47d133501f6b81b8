package io.harmonica.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import io.harmonica.model.Pruned;
import io.harmonica.model.Unconditional;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Betas;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Predicts;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ManifestTest {
  private static final Manifest MANIFEST =
      new Manifest(
          Manifest.FORMAT,
          "m",
          "DiT-1x8/2",
          4,
          8,
          8,
          8,
          8,
          new Manifest.Size(60, 64),
          10,
          null,
          new ManifestText(120, 64, true),
          "ddim",
          "leading",
          null,
          4,
          null,
          16,
          "fp32",
          new Pruned(0.84, 0.9, 0.75),
          "0123456789abcdef",
          ManifestNoise.LINEAR,
          List.of("block00.attention", "block00.mlp"),
          List.of(512L, 1024L),
          Map.of("hidden", 640L, "skip00", 768L),
          "skip00=0:2",
          new Manifest.Decoder("m-decoder", 64),
          4,
          "linear",
          true,
          List.of(0),
          new Flops(100, List.of(200L, 300L)),
          Map.of(),
          Map.of());

  @Test
  void manifest_throughConfigText_staysTheSame() {
    ModelConfig config = config(MANIFEST.toJson());
    ModelConfig read = ConfigFile.parse(ConfigFile.print(config), "test");
    assertThat(Manifest.of(read)).isEqualTo(MANIFEST);
  }

  /** What outlives a run is in its tensor; manifests of before know outputs of branches only. */
  @Test
  void cacheBytes_ofARun_areThoseOfItsStreams() {
    CacheBytes bytes = MANIFEST.cacheBytes();
    assertThat(bytes.branches()).containsExactly(512L, 1024L);
    assertThat(bytes.run(0, 0)).isEqualTo(640 + 768);
    assertThat(bytes.run(1, 1)).isEqualTo(640);
    String before = MANIFEST.toJson().replaceFirst("\"streamBytes\":.*\"skip00=0:2\",", "");
    assertThat(before).doesNotContain("skip00");
    assertThat(Manifest.of(config(before)).cacheBytes().run(0, 0)).isEqualTo(1024);
  }

  /** Manifests of before it are of models that have one, and so are those that leave it out. */
  @Test
  void nullClass_isThereUnlessDenied_andStaysWithOtherRouters() {
    String labels = MANIFEST.toJson().replaceFirst("\"text\":\\{.*?},", "");
    assertThat(labels).doesNotContain("nullClass");
    assertThat(Manifest.of(config(labels)).unconditional()).isEqualTo(Unconditional.NULL_CLASS);
    assertThat(MANIFEST.unconditional()).isEqualTo(Unconditional.TEXT);
    String denied = labels.replace("\"classes\":10,", "\"classes\":10,\"nullClass\":false,");
    Manifest manifest = Manifest.of(config(denied));
    assertThat(manifest.unconditional()).isEqualTo(Unconditional.NONE);
    assertThat(manifest.without("r")).isEqualTo(manifest);
    assertThat(manifest.toJson()).isEqualTo(denied);
  }

  @Test
  void sampling_throughTheManifest_staysTheSame() {
    assertThat(MANIFEST.toJson()).doesNotContain("betas", "predicts", "samplerSpacing");
    Sampling usual = Sampling.of(Diffusion.DDPM, "ddim", Spacing.LEADING, true);
    assertThat(MANIFEST.sampling()).isEqualTo(usual);
    for (String sampler : List.of("ddim", "dpm-solver++")) {
      for (Betas betas : Betas.values()) {
        for (Predicts predicts : Predicts.values()) {
          Diffusion diffusion = new Diffusion(500, betas, 1e-3, 0.01, predicts);
          for (Spacing spacing : List.of(Spacing.LEADING, Spacing.LINSPACE, Spacing.TRAILING)) {
            Sampling sampling =
                Sampling.of(diffusion, sampler, Spacing.LEADING, true).withSpacing(spacing);
            Manifest read = Manifest.of(config(sampled(sampling).toJson()));
            assertThat(read.sampling()).isEqualTo(sampling);
          }
        }
      }
    }
  }

  @Test
  void sampling_ofAnyTime_throughTheManifest_staysTheSame() {
    for (AnyTime noising : List.of(AnyTime.DISCRETE, AnyTime.CONTINUOUS)) {
      for (String sampler : Sampler.ANY_TIME) {
        Sampling sampling = Sampling.of(noising, sampler, Spacing.UNIFORM, false);
        String json = sampled(sampling).toJson();
        assertThat(json)
            .contains("\"time\":\"%s\"".formatted(noising.between()))
            .doesNotContain("samplerSpacing");
        Sampling read = Manifest.of(config(json)).sampling();
        assertThat(read.noising()).isEqualTo(noising);
        assertThat(read.sampler()).isEqualTo(sampler);
        assertThat(read.sampler(sampler, 6, Optional.empty()))
            .isEqualTo(sampling.sampler(sampler, 6, Optional.empty()));
      }
    }
  }

  @Test
  void flow_throughTheManifest_isDrawnTheSame() {
    for (Flow.ShiftType curve : Flow.ShiftType.values()) {
      for (OptionalDouble terminal : List.of(OptionalDouble.empty(), OptionalDouble.of(0.1))) {
        for (Spacing origin : List.of(Spacing.LINSPACE, Spacing.TRAILING)) {
          Flow flow = new Flow(500, 1024, new Flow.Shift(curve, 1.7), terminal);
          Sampling sampling = Sampling.of(flow, "flow-euler", origin, true);
          Manifest read = Manifest.of(config(sampled(sampling).toJson()));
          assertThat(read.sampling()).isEqualTo(sampling);
        }
      }
    }
  }

  @Test
  void manifest_ofNeitherBetasNorAFlow_isRefused() {
    String json = MANIFEST.toJson().replace("\"betaEnd\":0.02", "\"betaLast\":0.02");
    assertThatThrownBy(() -> Manifest.of(config(json)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("field noise.betaEnd is missing");
  }

  private static Manifest sampled(Sampling sampling) {
    Manifest m = MANIFEST;
    return new Manifest(
        Manifest.FORMAT,
        m.model(),
        m.architecture(),
        m.channels(),
        m.outputChannels(),
        m.height(),
        m.width(),
        m.pixelsPerElement(),
        m.picture(),
        m.classes(),
        m.nullClass(),
        m.text(),
        sampling.sampler(),
        sampling.origin().toString(),
        Manifest.samplerSpacing(sampling),
        m.guidanceChannels(),
        m.guidance(),
        m.maxBatch(),
        m.precision(),
        m.pruned(),
        m.digest(),
        ManifestNoise.of(sampling.noising()),
        m.branches(),
        m.branchBytes(),
        m.streamBytes(),
        m.streams(),
        m.decoder(),
        m.stepsPerRequest(),
        m.stepEngine(),
        m.conditioned(),
        m.skipLayers(),
        m.flops(),
        m.routers(),
        m.programs());
  }

  @Test
  void manifest_ofBetasOrPredictionsUnknown_isRefused() {
    for (String more : List.of("\"betas\":\"sigmoid\"", "\"predicts\":\"flow\"")) {
      String json = MANIFEST.toJson().replace("\"betaEnd\":0.02", "\"betaEnd\":0.02," + more);
      assertThat(json).contains(more);
      assertThatThrownBy(() -> Manifest.of(config(json)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("is unknown; use ");
    }
  }

  @Test
  void manifest_ofAnotherFormat_isRefused() {
    String json = MANIFEST.toJson().replace(Manifest.FORMAT, "harmonica-model/9");
    assertThatThrownBy(() -> Manifest.of(config(json)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("'harmonica-model/9', expected 'harmonica-model/2'");
  }

  @Test
  void manifest_withoutAField_isRefusedByItsName() {
    String json = MANIFEST.toJson().replace("\"spacing\":\"leading\",", "");
    assertThatThrownBy(() -> Manifest.of(config(json)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("spacing");
  }

  @Test
  void model_withoutManifest_isRefused() {
    assertThatThrownBy(() -> Manifest.of(ModelConfig.newBuilder().setName("resnet").build()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("model resnet has no parameter 'harmonica'");
  }

  private static ModelConfig config(String manifest) {
    return ModelConfig.newBuilder()
        .setName("m")
        .putParameters(Manifest.KEY, ModelParameter.newBuilder().setStringValue(manifest).build())
        .build();
  }
}
