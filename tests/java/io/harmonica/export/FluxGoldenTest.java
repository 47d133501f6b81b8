package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.Inference;
import io.harmonica.PackedLatents;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.model.Branch;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** FLUX.1 through its engines against diffusers. */
@Tag("golden")
class FluxGoldenTest {
  /** Absolute, as the vectors' READMEs state it. */
  private static final double TOLERANCE = 5e-5;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "flux/dev, 1",
    "flux/dev, 2",
    "flux/dev, 0",
    "flux/schnell, 1",
    "flux/schnell, 2",
    "flux/schnell, 0",
  })
  void everyFlavour_anyBlocksPerEngine(String flavour, int blocksPerEngine) {
    ExportOptions options = ExportOptions.of("flux").withBlocksPerEngine(blocksPerEngine);
    try (Checkpoint io = Golden.open(flavour + "/io.safetensors");
        Checkpoint source = Golden.open(flavour)) {
      Model model = Model.of(source, choices(io));
      new Exporter(model, List.of(Exports.everyOther("r", model)), options).export(folder);
      Map<String, Object> inputs = inputs(io);
      Map<String, float[]> outputs = infer(io, Names.route("flux", "r", 0), inputs);
      PackedLatents packed =
          new PackedLatents(size(io, "latents", 1), size(io, "latents", 2), size(io, "latents", 3));
      float[] expected = packed.unpack(floats(io, "output"));
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), expected, TOLERANCE);
      for (Branch branch : model.denoiser().branches()) {
        assertClose(branch.name(), outputs.get(branch.name()), expected(io, branch), TOLERANCE);
      }
      assertThat(outputs).hasSize(model.denoiser().branches().size() + 1);
      outputs.forEach((name, values) -> inputs.put(Names.history(name, 1), values));
      float[] again = infer(io, Names.route("flux", "r", 1), inputs).get(Names.NOISE_PREDICTION);
      assertClose("reused", again, expected, TOLERANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"flux/dev", "flux/schnell"})
  void halfPrecision_isNear(String flavour) {
    ExportOptions options = ExportOptions.of("flux").withPrecision(Precision.FP16);
    try (Checkpoint io = Golden.open(flavour + "/io.safetensors");
        Checkpoint source = Golden.open(flavour)) {
      new Exporter(Model.of(source, choices(io)), List.of(), options).export(folder);
      float[] expected =
          new PackedLatents(size(io, "latents", 1), size(io, "latents", 2), size(io, "latents", 3))
              .unpack(floats(io, "output"));
      double largest = Golden.difference(expected, new float[expected.length]);
      float[] output = infer(io, "flux", inputs(io)).get(Names.NOISE_PREDICTION);
      assertClose("output", output, expected, 0.01 * largest);
    }
  }

  /** As published: bfloat16, in several files, is read exactly. */
  @Test
  void bfloat16InShards_isReadExactly() {
    try (Checkpoint io = Golden.open("flux/schnell/io.safetensors");
        Checkpoint source = Golden.open("flux/schnell/bf16-sharded")) {
      new Exporter(Model.of(source, choices(io)), List.of(), ExportOptions.of("flux"))
          .export(folder);
      float[] expected =
          new PackedLatents(size(io, "latents", 1), size(io, "latents", 2), size(io, "latents", 3))
              .unpack(floats(io, "output_bf16_weights"));
      float[] output = infer(io, "flux", inputs(io)).get(Names.NOISE_PREDICTION);
      assertClose("output", output, expected, TOLERANCE);
    }
  }

  /** As those of FLUX.1-dev, 13 GB in fp32: each engine runs once for all steps, as one would. */
  @Test
  void conditionsOfSeveralEngines_areTheSame() {
    try (Checkpoint io = Golden.open("flux/dev/io.safetensors");
        Checkpoint source = Golden.open("flux/dev")) {
      Model model = Model.of(source, choices(io));
      Path one = folder.resolve("one");
      Path several = folder.resolve("several");
      new Exporter(model, List.of(), ExportOptions.of("flux")).export(one);
      long most = 100_000;
      List<Exporter.Entry> written =
          new Exporter(model, List.of(), ExportOptions.of("flux"), most).export(several);
      assertThat(written)
          .filteredOn(engine -> engine.name().startsWith("flux-condition-"))
          .hasSizeGreaterThan(2)
          .allMatch(
              engine ->
                  several.resolve(engine.name() + "/1/model.onnx.data").toFile().length() <= most);
      assertThat(several.resolve("flux-condition")).doesNotExist();
      Map<String, Long> calls = new HashMap<>();
      assertThat(drawn(several, io, calls)).isEqualTo(drawn(one, io, new HashMap<>()));
      assertThat(calls)
          .containsEntry("flux-head", 3L)
          .hasEntrySatisfying("flux-condition-00", count -> assertThat(count).isOne())
          .hasEntrySatisfying("flux-condition-02", count -> assertThat(count).isOne());
    }
  }

  private static float[] drawn(Path repository, Checkpoint io, Map<String, Long> calls) {
    Embeddings texts = Golden.texts(io, "encoder_hidden_states", "pooled_projections");
    try (Pipeline pipeline = Pipeline.open(repository, "flux")) {
      Request request = Request.of(new Content.Texts(texts, Optional.empty())).withSteps(3);
      float[] latents = pipeline.generate(request).latents().values();
      pipeline.statistics().models().forEach((name, model) -> calls.put(name, model.count()));
      return latents;
    }
  }

  private static Choices choices(Checkpoint io) {
    return Choices.NONE
        .withResolution(new Resolution(8 * size(io, "latents", 2), 8 * size(io, "latents", 3)))
        .withTextTokens(size(io, "encoder_hidden_states", 1));
  }

  /** A branch's output; the joint attention's is the text's and the picture's, row by row. */
  private static float[] expected(Checkpoint io, Branch branch) {
    String block = "transformer_blocks." + branch.block() + ".";
    return switch (branch.kind()) {
      case "attention" -> joined(io, block + "attn_context", block + "attn");
      case "mlp" -> floats(io, block + "ff");
      case "text_mlp" -> floats(io, block + "ff_context");
      default -> {
        int doubles = 0;
        while (io.names().contains("transformer_blocks." + doubles + ".ff")) {
          doubles++;
        }
        int own = branch.block() - doubles;
        yield floats(io, "single_transformer_blocks." + own + ".proj_out");
      }
    };
  }

  private static float[] joined(Checkpoint io, String first, String second) {
    float[] a = floats(io, first);
    float[] b = floats(io, second);
    int rows = size(io, first, 0);
    float[] both = new float[a.length + b.length];
    for (int row = 0; row < rows; row++) {
      int to = row * (both.length / rows);
      System.arraycopy(a, row * (a.length / rows), both, to, a.length / rows);
      System.arraycopy(b, row * (b.length / rows), both, to + a.length / rows, b.length / rows);
    }
    return both;
  }

  private static Map<String, Object> inputs(Checkpoint io) {
    Map<String, Object> inputs = new HashMap<>();
    inputs.put(Names.SAMPLE, floats(io, "latents"));
    float[] timesteps = floats(io, "timestep");
    for (int i = 0; i < timesteps.length; i++) {
      timesteps[i] *= 1000; // theirs goes from 0 to 1
    }
    inputs.put(Names.TIMESTEP, timesteps);
    inputs.put(Names.TEXT_EMBEDDING, floats(io, "encoder_hidden_states"));
    inputs.put(Names.POOLED_TEXT, floats(io, "pooled_projections"));
    if (io.names().contains("guidance")) {
      inputs.put(Names.GUIDANCE_SCALE, floats(io, "guidance"));
    }
    return inputs;
  }

  private Map<String, float[]> infer(Checkpoint io, String model, Map<String, Object> inputs) {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder)) {
      return Inference.run(runtime, model, size(io, "latents", 0), inputs);
    }
  }
}
