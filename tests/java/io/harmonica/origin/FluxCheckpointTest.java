package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shows;
import io.harmonica.model.TextUse;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxCheckpointTest {
  private static final Path DEV = Path.of("tests/golden/flux/dev");
  private static final Path SCHNELL = Path.of("tests/golden/flux/schnell");

  @TempDir Path folder;

  private static Denoiser model(Path path, Choices choices) {
    try (Checkpoint source = Checkpoint.open(path)) {
      return Model.of(source, choices).denoiser();
    }
  }

  @Test
  void of_readsItsConfiguration() {
    Denoiser dev = model(DEV, Choices.NONE);
    assertThat(dev.architecture()).isEqualTo("FLUX-3-3x24");
    assertThat(dev.io().channels()).isEqualTo(16);
    assertThat(dev.io().height()).isEqualTo(128);
    Shows.Text takes = dev.io().text().orElseThrow();
    assertThat(takes.guided()).isTrue();
    assertThat(takes.tokens()).isEqualTo(512);
    assertThat(takes.uses()).hasSize(2).endsWith(TextUse.T5);
    assertThat(dev.io().defaultGuidance()).isEqualTo(3.5);
    assertThat(dev.io().origin().spacing()).isEqualTo(Spacing.TRAILING);
    assertThat(dev.branchNames())
        .hasSize(12)
        .startsWith("block00.attention", "block00.mlp", "block00.text_mlp", "block01.attention")
        .endsWith("block03.single", "block04.single", "block05.single");
    Denoiser schnell = model(SCHNELL, Choices.NONE);
    assertThat(schnell.io().text().get().guided()).isFalse();
    assertThat(schnell.io().text().get().tokens()).isEqualTo(256);
    assertThat(schnell.io().defaultGuidance()).isEqualTo(1);
  }

  /** 2 x 3 tokens of the picture, 5 of the text. */
  @Test
  void branches_differInSize() {
    Choices choices = Choices.NONE.withTextTokens(5).withResolution(new Resolution(32, 48));
    List<Long> elements = model(DEV, choices).branchElements();
    assertThat(elements.subList(0, 3)).containsExactly(11L * 24, 6L * 24, 5L * 24);
    assertThat(elements.get(9)).isEqualTo(11L * 24);
  }

  @Test
  void config_thatDoesNotFit_isRefused() {
    refused(c -> c.remove("guidance_embeds"), "field guidance_embeds is absent, so nothing says");
    refused(
        c -> c.putArray("axes_dims_rope").add(2).add(4).add(4),
        "field axes_dims_rope is [2,4,4], expected three even numbers that make"
            + " attention_head_dim 12 together");
    refused(c -> c.putArray("axes_dims_rope").add(3).add(3).add(6), "expected three even numbers");
    refused(c -> c.remove("axes_dims_rope"), "that make attention_head_dim 12 together");
    refused(c -> c.put("patch_size", 2), "field patch_size is 2, expected 1");
    refused(c -> c.put("in_channels", 62), "field in_channels is 62, expected a multiple of 4");
    refused(c -> c.put("out_channels", 32), "field out_channels is 32, expected as many as");
    refused(c -> c.put("joint_attention_dim", 21), "context_embedder.weight has shape [24, 20]");
    refused(c -> c.put("num_single_layers", 2), "it is another model");
    refused(c -> c.put("num_layers", 4), "lacks the weight transformer_blocks.3");
    refused(c -> c.put("guidance_embeds", false), "it is another model");
  }

  private void refused(Consumer<ObjectNode> change, String message) {
    ObjectNode config = Checkpoints.config(DEV);
    change.accept(config);
    Path copy = Checkpoints.diffusers(folder, config, Checkpoints.tensors(DEV));
    assertThatThrownBy(() -> model(copy, Choices.NONE))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void choices_thatDoNotFit_areRefused() {
    assertThatThrownBy(() -> model(DEV, Choices.NONE.withResolution(new Resolution(100, 5000))))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("multiples of 16 pixels up to 4096; the nearest is 96x4096");
    assertThatThrownBy(() -> model(DEV, Choices.NONE.withHeads(OptionalInt.of(3))))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("num_attention_heads is 2, `heads` says 3");
    assertThatThrownBy(() -> model(DEV, Choices.NONE.withNoNullClass(true)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("a FLUX takes texts, no class labels");
  }
}
