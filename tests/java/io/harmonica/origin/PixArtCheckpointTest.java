package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.PixArt;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shows;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PixArtCheckpointTest {
  private static final Path ALPHA_256 = Path.of("tests/golden/pixart/alpha-256-like");
  private static final Path ALPHA_1024 = Path.of("tests/golden/pixart/alpha-1024-like");
  private static final Path SIGMA = Path.of("tests/golden/pixart/sigma-like");

  @TempDir Path folder;

  @Test
  void of_everyFlavour_readsItsRules() {
    PixArt small = model(ALPHA_256, Choices.NONE);
    assertThat(small.architecture()).isEqualTo("PixArt-2x24/2");
    assertThat(small.io().text()).contains(new Shows.Text(120, 20, false));
    assertThat(small.interpolation()).isEqualTo(1);
    PixArt big = model(ALPHA_1024, Choices.NONE);
    assertThat(big.io().text()).contains(new Shows.Text(120, 18, true));
    assertThat(big.interpolation()).isEqualTo(2);
    assertThat(big.io().height()).isEqualTo(128);
    PixArt sigma = model(SIGMA, Choices.NONE);
    assertThat(sigma.io().text()).contains(new Shows.Text(300, 12, false));
    assertThat(sigma.interpolation()).isEqualTo(2);
    assertThat(sigma.base()).isEqualTo(32);
  }

  @Test
  void of_legacyClass_isTheSame() {
    Path old =
        changed(
            config -> {
              config.put("_class_name", "Transformer2DModel");
              List.of("interpolation_scale", "use_additional_conditions").forEach(config::remove);
            });
    assertThat(model(old, Choices.NONE)).isEqualTo(model(ALPHA_256, Choices.NONE));
  }

  @Test
  void of_legacyWithoutEps_hasItsClassesDefault() {
    assertThat(model(changed(config -> config.remove("norm_eps")), Choices.NONE).eps())
        .isEqualTo(1e-6);
    Path old =
        changed(config -> config.put("_class_name", "Transformer2DModel").remove("norm_eps"));
    assertThat(model(old, Choices.NONE).eps()).isEqualTo(1e-5);
  }

  @Test
  void resolution_isInPixels() {
    PixArt model = model(ALPHA_1024, Choices.NONE.withResolution(new Resolution(64, 96)));
    assertThat(List.of(model.io().height(), model.io().width())).containsExactly(8, 12);
    assertThat(List.of(model.rows(), model.columns())).containsExactly(4, 6);
    assertThat(model.base()).isEqualTo(64);
    PixArt finer =
        model(
            ALPHA_1024,
            Choices.NONE.withResolution(new Resolution(64, 96)).withPixelsPerElement(2));
    assertThat(finer.io().pixelsPerElement()).isEqualTo(2);
    assertThat(finer.rows()).isEqualTo(16);
  }

  @Test
  void resolution_thatTheModelCannotTake_namesTheNearest() {
    refused(
        ALPHA_256,
        Choices.NONE.withResolution(new Resolution(500, 9000)),
        "`resolution` 500x9000 does not fit the model, which takes multiples of 16 pixels up to 4096; the nearest is 496x4096");
    refused(
        ALPHA_256,
        Choices.NONE.withResolution(new Resolution(3, 64)),
        "`resolution` 3x64 does not fit the model, which takes multiples of 16 pixels up to 4096; the nearest is 16x64");
  }

  @Test
  void configurations_thatDoNotFit_nameTheField() {
    refused(
        changed(config -> config.remove("caption_channels")),
        "field caption_channels is , expected the width of the text encoder's output");
    refused(
        changed(config -> config.put("cross_attention_dim", 25)),
        "field cross_attention_dim is 25, expected the width, 24");
    refused(
        changed(config -> config.put("use_additional_conditions", "yes")),
        "field use_additional_conditions is \"yes\", expected true or false");
    refused(
        changed(config -> config.put("use_additional_conditions", true)),
        "lacks the weight adaln_single.emb.resolution_embedder.linear_1.weight");
    refused(
        changed(
            config ->
                config
                    .put("num_attention_heads", 1)
                    .put("attention_head_dim", 16)
                    .put("cross_attention_dim", 16)
                    .put("use_additional_conditions", true)),
        "field use_additional_conditions is true, expected false, as the width 16 is not divisible by 3");
  }

  private static PixArt model(Path path, Choices choices) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return (PixArt) Model.of(checkpoint, choices).denoiser();
    }
  }

  private Path changed(Consumer<ObjectNode> change) {
    ObjectNode config = Checkpoints.config(ALPHA_256);
    change.accept(config);
    return Checkpoints.diffusers(folder, config, Checkpoints.tensors(ALPHA_256));
  }

  private static void refused(Path path, String message) {
    refused(path, Choices.NONE, message);
  }

  private static void refused(Path path, Choices choices, String message) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThatThrownBy(() -> Model.of(checkpoint, choices))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(message);
    }
  }
}
