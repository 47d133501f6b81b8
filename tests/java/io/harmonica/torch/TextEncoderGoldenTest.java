package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.size;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.TextEncoder;
import io.harmonica.origin.TextCheckpoint;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
            encoder.bias(ops, ops.input(longs(io, "attention_mask"), count, tokens), tokens);
        Value hidden = encoder.embed(ops, ids, tokens);
        for (int i = 0; i < encoder.depth(); i++) {
          hidden = encoder.block(ops, i, hidden, bias);
          assertClose("block " + i, hidden.floats(), floats(io, "block" + i), TOLERANCE);
        }
        float[] output = encoder.finish(ops, hidden).floats();
        assertClose("output", output, floats(io, "last_hidden_state"), TOLERANCE);
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
                    ops.input(mask, 1, tokens),
                    tokens);
        assertClose("output", output.floats(), floats(io, "long_last_hidden_state"), TOLERANCE);
      }
    }
  }
}
