package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.model.Decoder;
import io.harmonica.model.LatentSpace;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AutoencoderTest {
  private static final Path VAE = Path.of("tests/golden/vae");

  @TempDir Path folder;

  @Test
  void of_readsItsConfiguration() {
    assertThat(decoder(VAE)).isEqualTo(decoder(new LatentSpace(4, 0.18215), true));
    assertThat(decoder(VAE.resolve("legacy-names"))).isEqualTo(decoder(VAE));
  }

  @Test
  void of_fieldsThatLeaveWeightsOut_needsFewer() {
    ObjectNode config = Checkpoints.config(VAE);
    config.put("use_post_quant_conv", false).put("mid_block_add_attention", false);
    config.put("force_upcast", false).put("scaling_factor", 0.3611);
    config.put("shift_factor", 0.1);
    Map<String, Floats> tensors = Checkpoints.tensors(VAE);
    tensors.keySet().removeIf(name -> name.matches("post_quant.*|.*mid_block.attentions.*"));
    assertThat(decoder(Checkpoints.diffusers(folder, config, tensors)))
        .isEqualTo(decoder(new LatentSpace(4, 0.3611, 0.1), false));
  }

  /** Its file does not say them, so they are what the model was published with. */
  @Test
  void compVis_latentsAreTheModels() {
    try (Checkpoint file =
            Checkpoint.open(Path.of("tests/golden/uvit/autoencoder/autoencoder_kl.pth"));
        Checkpoint flux = Checkpoint.open(Path.of("tests/golden/flux/dev"));
        Checkpoint sd3 = Checkpoint.open(Path.of("tests/golden/sd3/sd3"))) {
      Autoencoder autoencoder = Autoencoder.of(file);
      assertThat(latents(autoencoder, flux)).isEqualTo(new LatentSpace(4, 0.3611, 0.1159));
      assertThat(latents(autoencoder, sd3)).isEqualTo(new LatentSpace(4, 1.5305, 0.0609));
      assertThat(latents(autoencoder.scaledBy(0.5), flux)).isEqualTo(new LatentSpace(4, 0.5));
    }
    try (Checkpoint file = Checkpoint.open(VAE);
        Checkpoint flux = Checkpoint.open(Path.of("tests/golden/flux/dev"))) {
      assertThat(latents(Autoencoder.of(file), flux)).isEqualTo(new LatentSpace(4, 0.18215));
    }
  }

  private static LatentSpace latents(Autoencoder autoencoder, Checkpoint model) {
    return autoencoder
        .of(Model.of(model, Choices.NONE).denoiser().io().origin())
        .decoder()
        .latents();
  }

  @Test
  void of_wrappedNames_isTheSame() {
    Map<String, Floats> wrapped = Checkpoints.prefixed("_orig_mod.", Checkpoints.tensors(VAE));
    assertThat(decoder(Checkpoints.diffusers(folder, Checkpoints.config(VAE), wrapped)))
        .isEqualTo(decoder(VAE));
  }

  @Test
  void of_weightsThatAreMissing_namesThem() {
    Map<String, Floats> tensors = Checkpoints.tensors(VAE);
    tensors.remove("decoder.up_blocks.1.resnets.0.conv_shortcut.weight");
    Path path = Checkpoints.diffusers(folder, Checkpoints.config(VAE), tensors);
    refused(path, "lacks the weight decoder.up_blocks.1.resnets.0.conv_shortcut.weight");
  }

  @Test
  void of_whatIsNotSupported_namesTheField() {
    refused(c -> c.put("act_fn", "gelu"), "field act_fn is \"gelu\", expected silu");
    refused(c -> c.putArray("latents_mean").add(0), "field latents_mean is [0], expected null");
    refused(c -> c.put("norm_num_groups", 3), "that divides each of block_out_channels [8, 16]");
    refused(c -> c.put("out_channels", 4), "field out_channels is 4, expected 1 or 3");
    refused(
        c -> c.put("shift_factor", "some"), "field shift_factor is \"some\", expected a number");
    refused(c -> c.putArray("block_out_channels"), "expected 1 to 6 positive integers");
    refused(
        c -> c.putArray("up_block_types").add("AttnUpDecoderBlock2D"),
        "expected UpDecoderBlock2D only");
  }

  @Test
  void of_anotherModel_saysWhatItIs() {
    refused(
        Checkpoints.DIT,
        "tests/golden/dit holds no autoencoder: _class_name is 'DiTTransformer2DModel', expected a folder whose config.json has _class_name AutoencoderKL");
    refused(
        Checkpoints.DIT_FACEBOOK,
        "tests/golden/dit-facebook/model.pt holds no autoencoder: no config.json, expected");
  }

  private static Decoder decoder(LatentSpace latents, boolean all) {
    return new Decoder(latents, 3, List.of(8, 16), 1, 4, all, all, all);
  }

  private void refused(Consumer<ObjectNode> change, String message) {
    ObjectNode config = Checkpoints.config(VAE);
    change.accept(config);
    refused(Checkpoints.diffusers(folder, config, Checkpoints.tensors(VAE)), message);
  }

  private static void refused(Path path, String message) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThatThrownBy(() -> Autoencoder.of(checkpoint))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(message);
    }
  }

  private static Decoder decoder(Path path) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return Autoencoder.of(checkpoint).decoder();
    }
  }
}
