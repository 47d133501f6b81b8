package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.Inference;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stable Diffusion 3 and 3.5 through their engines against diffusers. */
@Tag("golden")
class Sd3GoldenTest {
  /** Absolute, as the vectors' READMEs state it. */
  private static final double TOLERANCE = 5e-5;

  @TempDir Path folder;

  static Stream<Arguments> cases() throws IOException {
    try (Stream<Path> folders = Files.list(path("sd3"))) {
      return folders.map(flavour -> "sd3/" + flavour.getFileName()).sorted().toList().stream()
          .flatMap(flavour -> Stream.of(1, 2, 0).map(blocks -> Arguments.of(flavour, blocks)));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyFlavour_anyBlocksPerEngine(String flavour, int blocksPerEngine) {
    ExportOptions options = ExportOptions.of("sd3").withBlocksPerEngine(blocksPerEngine);
    try (Checkpoint io = Golden.open(flavour + "/io.safetensors");
        Checkpoint source = Golden.open(flavour)) {
      Model model = Model.of(source, choices(io));
      new Exporter(model, List.of(Exports.everyOther("r", model)), options).export(folder);
      Map<String, Object> inputs = inputs(io);
      Map<String, float[]> outputs = infer(io, Names.route("sd3", "r", 0), inputs);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
      for (Branch branch : model.denoiser().branches()) {
        assertClose(branch.name(), outputs.get(branch.name()), expected(io, branch), TOLERANCE);
      }
      assertThat(outputs).hasSize(model.denoiser().branches().size() + 1);
      outputs.forEach((name, values) -> inputs.put(Names.history(name, 1), values));
      float[] again = infer(io, Names.route("sd3", "r", 1), inputs).get(Names.NOISE_PREDICTION);
      assertClose("reused", again, floats(io, "output"), TOLERANCE);
    }
  }

  /** Blocks of a pass for skip-layer guidance, within engines and at their ends. */
  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "3", "all", "branch"})
  void passWithoutBlocks_isDiffusers(String engines) {
    EngineSize size =
        switch (engines) {
          case "all" -> EngineSize.STEP;
          case "branch" -> EngineSize.BRANCH;
          default -> EngineSize.ofBlocks(Integer.parseInt(engines));
        };
    String flavour = "sd3/sd35-medium";
    List<Integer> skipped =
        Golden.integers(
            Golden.json(flavour + "/pipeline.json")
                .path("trajectories")
                .path("skip_layer_guidance")
                .path("skip_guidance_layers"));
    try (Checkpoint io = Golden.open(flavour + "/io.safetensors");
        Checkpoint source = Golden.open(flavour)) {
      new Exporter(
              Model.of(source, choices(io)), List.of(), ExportOptions.of("sd3").withEngines(size))
          .withSkipLayers(Set.copyOf(skipped))
          .export(folder);
      Map<String, float[]> whole = infer(io, "sd3", inputs(io));
      Map<String, float[]> without = infer(io, Names.skipping("sd3"), inputs(io));
      assertClose("whole", whole.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
      float[] expected = floats(io, "output_skip_layers");
      assertClose("without blocks", without.get(Names.NOISE_PREDICTION), expected, TOLERANCE);
      assertThat(without).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3/sd3", "sd3/sd35-medium"})
  void halfPrecision_isNear(String flavour) {
    ExportOptions options = ExportOptions.of("sd3").withPrecision(Precision.FP16);
    try (Checkpoint io = Golden.open(flavour + "/io.safetensors");
        Checkpoint source = Golden.open(flavour)) {
      new Exporter(Model.of(source, choices(io)), List.of(), options).export(folder);
      float[] expected = floats(io, "output");
      double largest = Golden.difference(expected, new float[expected.length]);
      float[] output = infer(io, "sd3", inputs(io)).get(Names.NOISE_PREDICTION);
      assertClose("output", output, expected, 0.01 * largest);
    }
  }

  private static Choices choices(Checkpoint io) {
    return Choices.NONE
        .withResolution(
            new Resolution(8 * size(io, "hidden_states", 2), 8 * size(io, "hidden_states", 3)))
        .withTextTokens(size(io, "encoder_hidden_states", 1));
  }

  /** A branch's output; the joint attention's is the picture's and the text's, row by row. */
  private static float[] expected(Checkpoint io, Branch branch) {
    String block = "transformer_blocks." + branch.block() + ".";
    String name =
        block
            + Map.of(
                    "attention",
                    "attn",
                    "attention2",
                    "attn2",
                    "mlp",
                    "ff",
                    "text_mlp",
                    "ff_context")
                .get(branch.kind());
    float[] own = floats(io, name);
    if (!branch.kind().equals("attention") || !io.names().contains(name + "_context")) {
      return own;
    }
    float[] text = floats(io, name + "_context");
    int rows = size(io, name, 0);
    float[] both = new float[own.length + text.length];
    for (int row = 0; row < rows; row++) {
      int to = row * (both.length / rows);
      System.arraycopy(own, row * (own.length / rows), both, to, own.length / rows);
      int after = to + own.length / rows;
      System.arraycopy(text, row * (text.length / rows), both, after, text.length / rows);
    }
    return both;
  }

  private static Map<String, Object> inputs(Checkpoint io) {
    Map<String, Object> inputs = new HashMap<>();
    inputs.put(Names.SAMPLE, floats(io, "hidden_states"));
    inputs.put(Names.TIMESTEP, floats(io, "timestep"));
    inputs.put(Names.TEXT_EMBEDDING, floats(io, "encoder_hidden_states"));
    inputs.put(Names.POOLED_TEXT, floats(io, "pooled_projections"));
    return inputs;
  }

  private Map<String, float[]> infer(Checkpoint io, String model, Map<String, Object> inputs) {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder)) {
      return Inference.run(runtime, model, size(io, "hidden_states", 0), inputs);
    }
  }
}
