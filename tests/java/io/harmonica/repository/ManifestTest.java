package io.harmonica.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Flops;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import java.util.List;
import java.util.Map;
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
          new Manifest.Text(120, 64, true),
          "ddim",
          "leading",
          null,
          4,
          16,
          "fp32",
          "0123456789abcdef",
          Manifest.Noise.LINEAR,
          List.of("block00.attention", "block00.mlp"),
          List.of(512L, 1024L),
          new Manifest.Decoder("m-decoder", 64),
          4,
          new Flops(100, List.of(200L, 300L)),
          Map.of(),
          Map.of());

  @Test
  void manifest_throughConfigText_staysTheSame() {
    ModelConfig config = config(MANIFEST.toJson());
    ModelConfig read = ConfigFile.parse(ConfigFile.print(config), "test");
    assertThat(Manifest.of(read)).isEqualTo(MANIFEST);
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
