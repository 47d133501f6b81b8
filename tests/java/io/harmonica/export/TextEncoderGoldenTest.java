package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.TextEncoder;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The text encoder through its engines against transformers. */
@Tag("golden")
class TextEncoderGoldenTest {
  private static final String ENCODER = "pixart-text-encoder";
  private static final double TOLERANCE = 1e-4;

  @TempDir Path folder;

  private Path repository() {
    return folder.resolve("models");
  }

  private void export(String encoder, int tokens, ExportOptions options, long most) {
    try (Checkpoint source = Checkpoint.open(path(encoder))) {
      TextCheckpoint text = TextCheckpoint.of(source);
      Path fitting = Checkpoints.pixArt(folder.resolve("pixart"), text.encoder().width());
      try (Checkpoint pixArt = Checkpoint.open(fitting)) {
        Model model = Model.of(pixArt, Choices.NONE.withTextTokens(tokens));
        new Exporter(model, List.of(), options)
            .withText(text, "a tokenizer", most)
            .export(repository());
      }
    }
  }

  /** How large an engine may be. */
  private enum Cut {
    BLOCK_BY_BLOCK,
    PAIRS_OF_BLOCKS,
    WHOLE
  }

  @ParameterizedTest
  @CsvSource({"t5,BLOCK_BY_BLOCK", "t5,PAIRS_OF_BLOCKS", "t5/sharded,WHOLE"})
  void everyPart_andTheOutput(String encoder, Cut cut) {
    try (Checkpoint io = Golden.open("t5/io.safetensors");
        Checkpoint source = Golden.open("t5")) {
      TextEncoder definition = TextCheckpoint.of(source).encoder();
      int depth = definition.depth();
      long pair = 2 * definition.blockElements() * Float.BYTES;
      boolean tableFits =
          (definition.tableElements() + definition.blockElements()) * Float.BYTES <= pair;
      long most =
          switch (cut) {
            case BLOCK_BY_BLOCK -> 1;
            case PAIRS_OF_BLOCKS -> pair;
            case WHOLE -> TextEngines.MOST_BYTES;
          };
      int expected =
          switch (cut) {
            case BLOCK_BY_BLOCK -> 1 + depth; // the token table is a part of its own
            case PAIRS_OF_BLOCKS -> 1 + (tableFits ? depth / 2 : (depth + 1) / 2);
            case WHOLE -> 1;
          };
      int count = size(io, "input_ids", 0);
      int tokens = size(io, "input_ids", 1);
      export(encoder, tokens, ExportOptions.of("pixart"), most);
      try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository())) {
        List<ModelEnsembling.Step> parts =
            runtime.config(ENCODER).getEnsembleScheduling().getStepList();
        assertThat(parts).hasSize(expected);
        LongBuffer ids = LongBuffer.wrap(longs(io, "input_ids"));
        LongBuffer mask = LongBuffer.wrap(longs(io, "attention_mask"));
        try (Tensor input = runtime.tensor(ids, count, tokens);
            Tensor kept = runtime.tensor(mask, count, tokens)) {
          Map<String, Tensor> all = Map.of(Names.INPUT_IDS, input, Names.TEXT_MASK, kept);
          assertClose(
              "output",
              run(runtime, ENCODER, all, Names.TEXT_EMBEDDING),
              floats(io, "last_hidden_state"),
              TOLERANCE);
          if (cut == Cut.BLOCK_BY_BLOCK) {
            everyBlock(runtime, parts, all, io);
          }
        }
      }
    }
  }

  /** Runs the parts by hand, each a block, and looks at what they hand on. */
  private static void everyBlock(
      EmbeddedRuntime runtime,
      List<ModelEnsembling.Step> parts,
      Map<String, Tensor> inputs,
      Checkpoint io) {
    Map<String, Tensor> known = new HashMap<>(inputs);
    for (int i = 0; i + 1 < parts.size(); i++) {
      String part = parts.get(i).getModelName();
      Map<String, Tensor> own = new HashMap<>(known);
      own.keySet().retainAll(parts.get(i).getInputMapMap().keySet());
      Tensor hidden =
          runtime.infer(part, own, Set.of(Names.next("hidden"))).get(Names.next("hidden"));
      if (i > 0) {
        float[] values = new float[hidden.floats().remaining()];
        hidden.floats().get(values);
        assertClose("block " + (i - 1), values, floats(io, "block" + (i - 1)), TOLERANCE);
      }
      known.put("hidden", hidden);
    }
  }

  /** Long enough for the farthest distances. */
  @Test
  void longPrompt() {
    try (Checkpoint io = Golden.open("t5/io.safetensors")) {
      int tokens = size(io, "long_input_ids", 1);
      export("t5", tokens, ExportOptions.of("pixart"), TextEngines.MOST_BYTES);
      float[] output = encode(longs(io, "long_input_ids"), tokens);
      assertClose("output", output, floats(io, "long_last_hidden_state"), TOLERANCE);
    }
  }

  @Test
  void halfPrecision_isNear() {
    try (Checkpoint io = Golden.open("t5/io.safetensors")) {
      int tokens = size(io, "long_input_ids", 1);
      ExportOptions half = ExportOptions.of("pixart").withPrecision(Precision.FP16);
      export("t5", tokens, half, TextEngines.MOST_BYTES);
      float[] expected = floats(io, "long_last_hidden_state");
      double largest = Golden.difference(expected, new float[expected.length]);
      assertClose("output", encode(longs(io, "long_input_ids"), tokens), expected, 0.01 * largest);
    }
  }

  private float[] encode(long[] ids, int tokens) {
    long[] all = new long[tokens];
    Arrays.fill(all, 1);
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository());
        Tensor input = runtime.tensor(LongBuffer.wrap(ids), 1, tokens);
        Tensor mask = runtime.tensor(LongBuffer.wrap(all), 1, tokens)) {
      return run(
          runtime,
          ENCODER,
          Map.of(Names.INPUT_IDS, input, Names.TEXT_MASK, mask),
          Names.TEXT_EMBEDDING);
    }
  }

  private static float[] run(
      EmbeddedRuntime runtime, String model, Map<String, Tensor> inputs, String output) {
    try (Tensor result = runtime.infer(model, inputs, Set.of(output)).get(output)) {
      float[] values = new float[result.floats().remaining()];
      result.floats().get(values);
      return values;
    }
  }
}
