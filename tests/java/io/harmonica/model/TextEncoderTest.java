package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.origin.TextLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextEncoderTest {
  private static final Path T5 = Path.of("tests/golden/t5");
  private static final String TABLE = "shared.weight";

  @TempDir Path folder;

  @Test
  @Tag("golden")
  void bucket_isTransformers() {
    try (Checkpoint source = Golden.open("t5");
        Checkpoint io = Golden.open("t5/io.safetensors")) {
      T5Encoder encoder = (T5Encoder) TextCheckpoint.of(source).encoder();
      long[] distances = Golden.longs(io, "relative_position");
      long[] expected = Golden.longs(io, "relative_bucket");
      long[] buckets = new long[distances.length];
      for (int i = 0; i < buckets.length; i++) {
        buckets[i] = encoder.bucket((int) distances[i]);
      }
      assertThat(buckets).isEqualTo(expected).hasSizeGreaterThan(300);
    }
  }

  /** As older files name the table. */
  @Test
  void tokenTable_byItsOtherName() {
    Map<String, Floats> weights = Checkpoints.tensors(T5);
    weights.put("encoder.embed_tokens.weight", weights.remove(TABLE));
    Path copy = Checkpoints.diffusers(folder, Checkpoints.config(T5), weights);
    try (Checkpoint source = Checkpoint.open(copy)) {
      TextCheckpoint text = TextCheckpoint.of(source);
      int rows = text.encoder().vocabulary();
      assertThat(text.weights().read(TABLE, rows, text.encoder().width())).isNotEmpty();
    }
  }

  @Test
  void wrappedNames_areTheSame() {
    Map<String, Floats> wrapped = Checkpoints.prefixed("module.", Checkpoints.tensors(T5));
    Path copy = Checkpoints.diffusers(folder, Checkpoints.config(T5), wrapped);
    try (Checkpoint source = Checkpoint.open(copy);
        Checkpoint plain = Checkpoint.open(T5)) {
      TextEncoder encoder = TextCheckpoint.of(source).encoder();
      assertThat(encoder).isEqualTo(TextCheckpoint.of(plain).encoder());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          model_type        | bert       | holds no text encoder: model_type is 'bert', expected a folder whose config.json has model_type t5 or clip_text_model or clip
          feed_forward_proj | relu       | field feed_forward_proj is "relu", expected gated-gelu, the only one supported
          d_ff              | 41         | DenseReluDense.wi_0.weight has shape [40, 24], expected [41, 24]
          num_layers        | 3          | lacks the weight encoder.block.2.layer.0.layer_norm.weight
          relative_attention_max_distance | 8 | field relative_attention_max_distance is 8, expected more than 8
          """)
  void config_thatDoesNotFit_isRefused(String field, String value, String message) {
    ObjectNode config = Checkpoints.config(T5);
    if (value.matches("\\d+")) {
      config.put(field, Integer.parseInt(value));
    } else {
      config.put(field, value);
    }
    Path copy = Checkpoints.diffusers(folder, config, Checkpoints.tensors(T5));
    try (Checkpoint source = Checkpoint.open(copy)) {
      assertThatThrownBy(() -> TextCheckpoint.of(source))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void encoderOfAnotherWidth_isRefused_withBothSizes() {
    try (Checkpoint source = Checkpoint.open(T5);
        Checkpoint pixArt = Checkpoint.open(Path.of("tests/golden/pixart/alpha-256-like"));
        Checkpoint dit = Checkpoint.open(Checkpoints.DIT)) {
      TextCheckpoint text = TextCheckpoint.of(source);
      assertThatThrownBy(
              () ->
                  TextLayout.of(
                      Model.of(pixArt, Choices.NONE).denoiser(), List.of(Optional.of(text))))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("embeds tokens 24 wide, and the transformer takes 20");
      assertThatThrownBy(
              () ->
                  TextLayout.of(Model.of(dit, Choices.NONE).denoiser(), List.of(Optional.of(text))))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("has no use: a DiT-");
    }
  }
}
