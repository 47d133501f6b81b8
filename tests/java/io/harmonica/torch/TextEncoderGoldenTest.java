package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.size;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.TextEncoder;
import io.harmonica.model.TextUse;
import io.harmonica.origin.TextCheckpoint;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The text encoder in libtorch against transformers; its engines are held to the same numbers. */
@Tag("golden")
class TextEncoderGoldenTest {
  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @ValueSource(strings = {"t5", "t5/sharded"})
  void everyBlock_andTheOutput(String folder) {
    try (Checkpoint source = Golden.open(folder);
        Checkpoint io = Golden.open("t5/io.safetensors")) {
      TextCheckpoint text = TextCheckpoint.of(source);
      TextEncoder encoder = text.encoder();
      int count = size(io, "input_ids", 0);
      int tokens = size(io, "input_ids", 1);
      try (TorchOps ops = TorchOps.open(text.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Value ids = ops.input(longs(io, "input_ids"), count, tokens);
        Value bias =
            encoder.bias(
                ops, Optional.of(ops.input(longs(io, "attention_mask"), count, tokens)), tokens);
        Value hidden = encoder.embed(ops, ids, tokens);
        for (int i = 0; i < encoder.depth(); i++) {
          hidden = encoder.block(ops, i, hidden, bias);
          assertClose("block " + i, hidden.floats(), floats(io, "block" + i), TOLERANCE);
        }
        float[] output =
            encoder.finish(ops, hidden, hidden, ids, TextUse.T5).states().orElseThrow().floats();
        assertClose("output", output, floats(io, "last_hidden_state"), TOLERANCE);
      }
    }
  }

  /** CLIP's of both activations, with the text's end by either rule. */
  @ParameterizedTest
  @CsvSource({
    "text_model, PLAIN, pooler_output",
    "text_model_with_projection, PROJECTED, text_embeds",
    "text_model_with_projection_2, PROJECTED, text_embeds"
  })
  void clip_everyBlock_andTheOutputs(String folder, TextUse.Pooled pooled, String vector) {
    try (Checkpoint source = Golden.open("clip/" + folder);
        Checkpoint io = Golden.open("clip/" + folder + "/io.safetensors")) {
      TextCheckpoint text = TextCheckpoint.of(source);
      TextEncoder encoder = text.encoder();
      int count = size(io, "input_ids", 0);
      int tokens = size(io, "input_ids", 1);
      try (TorchOps ops = TorchOps.open(text.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Value ids = ops.input(longs(io, "input_ids"), count, tokens);
        Value bias = encoder.bias(ops, Optional.empty(), tokens);
        Value hidden = encoder.embed(ops, ids, tokens);
        for (int i = 0; i < encoder.depth(); i++) {
          assertClose("state", hidden.floats(), floats(io, "hidden_states." + i), 5e-5);
          hidden = encoder.block(ops, i, hidden, bias);
        }
        for (TextUse.States states : List.of(TextUse.States.LAST, TextUse.States.PENULTIMATE)) {
          TextUse use = new TextUse(TextUse.Kind.CLIP, states, pooled);
          TextUse.Made<Value> made = encoder.encode(ops, ids, Optional.empty(), tokens, use);
          String state = states == TextUse.States.LAST ? "last_hidden_state" : "penultimate";
          assertClose(state, made.states().orElseThrow().floats(), floats(io, state), 5e-5);
          assertClose(vector, made.pooled().orElseThrow().floats(), floats(io, vector), 5e-5);
        }
      }
    }
  }

  /** Long enough for the farthest distances. */
  @Test
  void longPrompt() {
    try (Checkpoint source = Golden.open("t5");
        Checkpoint io = Golden.open("t5/io.safetensors")) {
      TextCheckpoint text = TextCheckpoint.of(source);
      int tokens = size(io, "long_input_ids", 1);
      long[] mask = new long[tokens];
      Arrays.fill(mask, 1);
      try (TorchOps ops = TorchOps.open(text.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Value output =
            text.encoder()
                .encode(
                    ops,
                    ops.input(longs(io, "long_input_ids"), 1, tokens),
                    Optional.of(ops.input(mask, 1, tokens)),
                    tokens,
                    TextUse.T5)
                .states()
                .orElseThrow();
        assertClose("output", output.floats(), floats(io, "long_last_hidden_state"), TOLERANCE);
      }
    }
  }
}
