package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.TextEncoder;
import io.harmonica.model.TextUse;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.origin.TextLayout;
import io.harmonica.repository.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CLIP's text encoders through their engines against transformers. */
@Tag("golden")
class ClipEncoderGoldenTest {
  private static final int TEXTS = 10;
  private static final int TOKENS = 20;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "text_model, NONE, PLAIN, 1",
    "text_model, NONE, PLAIN, 2000000000",
    "text_model, LAST, NONE, 1",
    "text_model_with_projection, PENULTIMATE, PROJECTED, 1",
    "text_model_with_projection, PENULTIMATE, PROJECTED, 2000000000",
    "text_model_with_projection_2, PENULTIMATE, PROJECTED, 1",
    "text_model_with_projection_2, LAST, PROJECTED, 2000000000"
  })
  void outputs_areTransformers(
      String encoder, TextUse.States states, TextUse.Pooled pooled, long most) throws IOException {
    try (Checkpoint source = Golden.open("clip/" + encoder);
        Checkpoint io = Golden.open("clip/" + encoder + "/io.safetensors")) {
      TextCheckpoint text = TextCheckpoint.of(source);
      TextUse use = new TextUse(TextUse.Kind.CLIP, states, pooled);
      Map<String, Evaluation.Floats> made =
          run(text, use, Precision.FP32, most, longs(io, "input_ids"));
      if (states != TextUse.States.NONE) {
        String state = states == TextUse.States.LAST ? "last_hidden_state" : "penultimate";
        assertClose(state, made.get(Names.TEXT_EMBEDDING).values(), floats(io, state), 5e-5);
      }
      if (pooled != TextUse.Pooled.NONE) {
        String vector = pooled == TextUse.Pooled.PLAIN ? "pooler_output" : "text_embeds";
        assertClose(vector, made.get(Names.POOLED_TEXT).values(), floats(io, vector), 5e-5);
      }
      assertThat(made)
          .hasSize(
              (states == TextUse.States.NONE ? 0 : 1) + (pooled == TextUse.Pooled.NONE ? 0 : 1));
    }
  }

  @ParameterizedTest
  @CsvSource({"text_model_with_projection", "text_model_with_projection_2"})
  void halfPrecision_isNear(String encoder) throws IOException {
    try (Checkpoint source = Golden.open("clip/" + encoder);
        Checkpoint io = Golden.open("clip/" + encoder + "/io.safetensors")) {
      TextUse use =
          new TextUse(TextUse.Kind.CLIP, TextUse.States.PENULTIMATE, TextUse.Pooled.PROJECTED);
      Map<String, Evaluation.Floats> made =
          run(TextCheckpoint.of(source), use, Precision.FP16, 1, longs(io, "input_ids"));
      float[] states = floats(io, "penultimate");
      double largest = Golden.difference(states, new float[states.length]);
      assertClose("states", made.get(Names.TEXT_EMBEDDING).values(), states, 0.01 * largest);
      float[] vector = floats(io, "text_embeds");
      largest = Golden.difference(vector, new float[vector.length]);
      assertClose("vector", made.get(Names.POOLED_TEXT).values(), vector, 0.01 * largest);
    }
  }

  /** The last part's outputs, each part having what it takes of those before. */
  private Map<String, Evaluation.Floats> run(
      TextCheckpoint text, TextUse use, Precision precision, long most, long[] ids)
      throws IOException {
    TextLayout place = new TextLayout(0, text, use, TOKENS, 0, 0, 0);
    TextEngines engines = new TextEngines(place, false, precision, "a tokenizer", most);
    List<TextEngines.Part> parts = engines.parts();
    assertThat(parts).hasSize(most == 1 ? 1 + text.encoder().depth() : 1);
    Map<String, Object> known = new HashMap<>();
    known.put(Names.INPUT_IDS, new Evaluation.Longs(ids, TEXTS, TOKENS));
    Map<String, Evaluation.Floats> made = Map.of();
    for (TextEngines.Part part : parts) {
      Path data = folder.resolve(WeightFile.NAME);
      Files.deleteIfExists(data);
      Graph graph;
      try (WeightFile weights = WeightFile.create(data)) {
        graph = engines.graph(part, weights);
      }
      ModelProto model = graph.model();
      Map<String, Object> inputs = new HashMap<>(known);
      inputs.keySet().retainAll(graph.inputs().stream().map(io.harmonica.Port::name).toList());
      assertThat(inputs).hasSize(graph.inputs().size());
      made = Evaluation.run(model, folder, inputs);
      Evaluation.Floats next = made.get(Names.next(TextEncoder.HIDDEN));
      if (next != null) {
        known.put(TextEncoder.HIDDEN, next);
      }
    }
    return made;
  }
}
