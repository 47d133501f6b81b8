package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.model.TextUse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Sd3CheckpointTest {
  private static final Path SD3 = Path.of("tests/golden/sd3/sd3");
  private static final Path SD35 = Path.of("tests/golden/sd3/sd35-medium");

  @TempDir Path folder;

  private static Model model(Path path, Choices choices) {
    try (Checkpoint source = Checkpoint.open(path)) {
      return Model.of(source, choices);
    }
  }

  @Test
  void of_readsItsConfiguration() {
    Denoiser plain = model(SD3, Choices.NONE).denoiser();
    assertThat(plain.architecture()).isEqualTo("SD3-3x24/2");
    assertThat(plain.io().height()).isEqualTo(16);
    assertThat(plain.io().text().orElseThrow().tokens()).isEqualTo(77 + 256);
    assertThat(plain.io().text().get().pooled()).isEqualTo(14);
    assertThat(plain.io().text().get().uses()).hasSize(3).endsWith(TextUse.T5);
    assertThat(plain.io().origin().isFlow()).isTrue();
    assertThat(plain.branchNames())
        .containsExactly(
            "block00.attention",
            "block00.mlp",
            "block00.text_mlp",
            "block01.attention",
            "block01.mlp",
            "block01.text_mlp",
            "block02.attention",
            "block02.mlp");
    Denoiser dual = model(SD35, Choices.NONE).denoiser();
    assertThat(dual.architecture()).isEqualTo("SD3.5-4x24-dual2/2");
    assertThat(dual.branchNames())
        .contains("block00.attention2")
        .doesNotContain("block01.attention2");
  }

  /** The joint attention's output is both streams': 8 x 8 tokens of the picture, 5 of the text. */
  @Test
  void branches_differInSize() {
    Choices choices = Choices.NONE.withTextTokens(5);
    List<Long> elements = model(SD3, choices).denoiser().branchElements();
    assertThat(elements.subList(0, 3)).containsExactly((64L + 5) * 24, 64L * 24, 5L * 24);
    assertThat(elements.get(6)).isEqualTo(64L * 24); // the last block's
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          caption_projection_dim | 25         | field caption_projection_dim is 25, expected the width, 24
          out_channels           | 32         | field out_channels is 32, expected as many as in_channels
          qk_norm                | layer_norm | field qk_norm is "layer_norm", expected rms_norm, the only one supported
          joint_attention_dim    | 21         | context_embedder.weight has shape [24, 20], expected [24, 21]
          pos_embed_max_size     | 11         | pos_embed.pos_embed has shape [1, 144, 24], expected [1, 121, 24]
          num_layers             | 2          | norm1_context.linear.weight has shape [144, 24], expected [48, 24]
          dual_attention_layers  | 3          | field dual_attention_layers is [3], expected numbers of its 3 blocks, from 0
          dual_attention_layers  | 0          | norm1.linear.weight has shape [144, 24], expected [216, 24]
          """)
  void config_thatDoesNotFit_isRefused(String field, String value, String message) {
    ObjectNode config = Checkpoints.config(SD3);
    if (field.startsWith("dual")) {
      config.putArray(field).add(Integer.parseInt(value));
    } else if (value.matches("\\d+")) {
      config.put(field, Integer.parseInt(value));
    } else {
      config.put(field, value);
    }
    Path copy = Checkpoints.diffusers(folder, config, Checkpoints.tensors(SD3));
    assertThatThrownBy(() -> model(copy, Choices.NONE))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void choices_thatDoNotFit_areRefused() {
    assertThatThrownBy(() -> model(SD3, Choices.NONE.withResolution(new Resolution(100, 400))))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(
            "which takes multiples of 16 pixels up to 192; the nearest is 96x192");
    assertThatThrownBy(() -> model(SD3, Choices.NONE.withHeads(OptionalInt.of(3))))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("num_attention_heads is 2, `heads` says 3");
    assertThatThrownBy(() -> model(SD3, Choices.NONE.withNoNullClass(true)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("a Stable Diffusion 3 takes texts, no class labels");
  }

  /** The last block asks for no text: what would change nothing may be there or not. */
  @Test
  void queriesOfTheLastBlocksText_mayBeLeftOut() {
    Map<String, Floats> tensors = Checkpoints.tensors(SD3);
    assertThat(tensors.remove("transformer_blocks.2.attn.add_q_proj.weight")).isNotNull();
    assertThat(tensors.remove("transformer_blocks.2.attn.add_q_proj.bias")).isNotNull();
    Path copy = Checkpoints.diffusers(folder, Checkpoints.config(SD3), tensors);
    assertThat(model(copy, Choices.NONE).denoiser()).isEqualTo(model(SD3, Choices.NONE).denoiser());
  }
}
