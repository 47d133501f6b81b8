package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Dit;
import io.harmonica.model.Resolution;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelTest {
  @TempDir Path folder;

  @Test
  void of_bothLayouts_findsTheSameStructure() {
    Dit diffusers = dit(Checkpoints.DIT, OptionalInt.empty());
    Dit facebook = dit(Checkpoints.DIT_FACEBOOK, OptionalInt.of(2));
    assertThat(diffusers.architecture()).isEqualTo("DiT-3x32/2");
    assertThat(diffusers.io()).isEqualTo(new Denoiser.Interface(4, 8, 8, 8, 10, "leading", 4));
    assertThat(diffusers.layout().frequencyDivisor()).isEqualTo(127);
    assertThat(diffusers.layout().mlpEps()).isEqualTo(1e-5);
    assertThat(facebook.architecture()).isEqualTo("DiT-3x32/2");
    assertThat(facebook.io()).isEqualTo(new Denoiser.Interface(4, 8, 8, 8, 10, "openai", 3));
    assertThat(facebook.layout().frequencyDivisor()).isEqualTo(128);
    assertThat(facebook.layout().mlpEps()).isEqualTo(1e-6);
    assertThat(facebook.heads()).isEqualTo(diffusers.heads());
  }

  @Test
  void of_shippedExample_isItsConfiguration() {
    Dit shapes = dit(Checkpoints.SHAPES, OptionalInt.empty());
    assertThat(shapes.architecture()).isEqualTo("DiT-10x192/4");
    assertThat(shapes.io()).isEqualTo(new Denoiser.Interface(3, 3, 32, 32, 10, "leading", 3));
    assertThat(shapes.heads()).isEqualTo(6);
  }

  @Test
  void of_anotherClass_namesTheFieldAndTheSupported() {
    ObjectNode config = Checkpoints.config(Checkpoints.DIT).put("_class_name", "UNet2DModel");
    config.remove("norm_type");
    assertRefused(
        Checkpoints.diffusers(folder, config, Checkpoints.tensors(Checkpoints.DIT)),
        folder
            + "/config.json: field _class_name is 'UNet2DModel'; supported: FluxTransformer2DModel, SD3Transformer2DModel, DiTTransformer2DModel and PixArtTransformer2DModel (or Transformer2DModel with norm_type ada_norm_zero or ada_norm_single)");
  }

  @Test
  void of_foreignTensors_saysWhatIsMissing() {
    var tensor = Checkpoints.tensors(Checkpoints.DIT).get("proj_out_2.bias");
    Path file = Checkpoints.facebook(folder, Map.of("something", tensor));
    assertRefused(
        file,
        file
            + " lacks the weight x_embedder.proj.weight; is it a checkpoint of facebookresearch/DiT?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tests/golden/dit", "tests/golden/pixart/alpha-256-like"})
  void of_wrappedNames_isTheSameModel(Path path) {
    Path copy =
        Checkpoints.diffusers(
            folder,
            Checkpoints.config(path),
            Checkpoints.prefixed("module._orig_mod.", Checkpoints.tensors(path)));
    assertThat(denoiser(copy)).isEqualTo(denoiser(path));
  }

  private static Denoiser denoiser(Path path) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return Model.of(checkpoint, Choices.NONE).denoiser();
    }
  }

  @Test
  void of_otherPrefixes_namesThem() {
    Map<String, Floats> names =
        Checkpoints.prefixed("dit.", Checkpoints.tensors(Checkpoints.DIT_FACEBOOK));
    Path file = Checkpoints.facebook(folder, names);
    assertRefused(
        file,
        file
            + " lacks the weight x_embedder.proj.weight; all its names begin with 'dit.': save them without that");
    Floats other = Floats.of(new float[] {1}, 1);
    names.put("vae.a", other);
    assertRefused(
        Checkpoints.facebook(folder, names),
        file
            + " lacks the weight x_embedder.proj.weight; %d of its %d names begin with 'dit.': save those alone, without that"
                .formatted(names.size() - 1, names.size()));
    assertRefused(
        Checkpoints.facebook(folder, Map.of("unet.a", other, "unet.b", other)),
        file
            + " lacks the weight x_embedder.proj.weight; all its names begin with 'unet.': save them without that");
  }

  @Test
  void of_emptyWeights_saysHowToMergeThem() {
    Map<String, Floats> empty = Checkpoints.tensors(Checkpoints.DIT_FACEBOOK);
    empty.replaceAll((name, weight) -> Floats.of(new float[0], 0)); // as ZeRO-3 leaves them
    assertRefused(
        Checkpoints.facebook(folder, empty),
        folder
            + "/model.safetensors: weight x_embedder.proj.weight is empty, as DeepSpeed's ZeRO-3 leaves it: merge its files with the zero_to_fp32.py beside them");
  }

  @Test
  void of_ditAtAnotherSize_saysItsOwn() {
    Choices other = Choices.NONE.withResolution(new Resolution(64, 96));
    assertRefused(
        Checkpoints.DIT,
        other,
        "`resolution` 64x96: a DiT has the size that it was trained for, here 64x64; leave `resolution` out");
    assertRefused(
        Checkpoints.DIT,
        Choices.NONE.withTextTokens(120),
        "`textTokens` 120: a DiT takes class labels, no text; leave `textTokens` out");
  }

  @Test
  void requireArchitecture_ofAnother_namesBoth() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Model.of(checkpoint, OptionalInt.empty());
      assertThatThrownBy(() -> model.requireArchitecture("DiT-XL/2", Checkpoints.DIT))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage("tests/golden/dit holds a DiT-3x32/2, not the `architecture` DiT-XL/2");
      assertThatThrownBy(() -> model.requireArchitecture("DiT-XL/3", Checkpoints.DIT))
          .hasMessageContaining("unknown architecture 'DiT-XL/3'");
    }
  }

  private static Dit dit(Path path, OptionalInt heads) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return (Dit) Model.of(checkpoint, heads).denoiser();
    }
  }

  private static void assertRefused(Path path, String message) {
    assertRefused(path, Choices.NONE, message);
  }

  private static void assertRefused(Path path, Choices choices, String message) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThatThrownBy(() -> Model.of(checkpoint, choices))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(message);
    }
  }
}
