package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.Inference;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One pass of every PixArt flavour through exported engines against diffusers. */
@Tag("golden")
class PixArtGoldenTest {
  /** Absolute, as the vectors' READMEs state it: float64 differs by 9e-7. */
  private static final double TOLERANCE = 1e-4;

  private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

  @TempDir Path folder;

  /** A set of vectors, at a way to cut the model into engines. */
  private record Case(String vectors, int blocksPerEngine) {
    Path checkpoint() {
      return path(vectors).getParent();
    }
  }

  /** Every {@code io*.safetensors} of every flavour: square ones and others. */
  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    try (Stream<Path> files = Files.walk(path("pixart"))) {
      for (Path file : files.sorted().toList()) {
        if (file.getFileName().toString().matches("io.*\\.safetensors")) {
          String name = path("").relativize(file).toString();
          Stream.of(1, 2, 0).forEach(blocks -> cases.add(new Case(name, blocks)));
        }
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyFlavour_anyBlocksPerEngine(Case vectors) {
    try (Checkpoint io = Golden.open(vectors.vectors())) {
      Map<String, float[]> outputs = run(vectors.checkpoint(), vectors.blocksPerEngine(), io);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
      int checked = 0;
      for (int block = 0; io.names().contains("block" + block + ".attn"); block++) {
        String ours = String.format("block%02d.", block);
        String theirs = "block" + block + ".";
        Map.of("attention", "attn", "cross_attention", "cross", "mlp", "ff")
            .forEach(
                (kind, name) ->
                    assertClose(
                        ours + kind,
                        outputs.get(ours + kind),
                        floats(io, theirs + name),
                        TOLERANCE));
        checked++;
      }
      assertThat(checked).isPositive();
      assertReuses(io, outputs);
    }
  }

  /** The step that reuses every branch, at the same inputs, predicts the same. */
  private void assertReuses(Checkpoint io, Map<String, float[]> outputs) {
    Map<String, Object> inputs = inputs(io);
    outputs.forEach((name, values) -> inputs.put(Names.history(name, 1), values));
    float[] again = infer(io, Names.route("pixart", "r", 1), inputs).get(Names.NOISE_PREDICTION);
    assertClose("reused", again, floats(io, "output"), TOLERANCE);
  }

  @ParameterizedTest
  @ValueSource(strings = "pixart/alpha-256-like")
  void normEps_followsTheConfiguration(String flavour) throws IOException {
    Path checkpoint = Files.createDirectory(folder.resolve("norm_eps"));
    Files.copy(path(flavour + "/config_norm_eps.json"), checkpoint.resolve("config.json"));
    Files.copy(path(flavour).resolve(WEIGHTS), checkpoint.resolve(WEIGHTS));
    try (Checkpoint inputs = Golden.open(flavour + "/io.safetensors");
        Checkpoint io = Golden.open(flavour + "/norm_eps.safetensors")) {
      Map<String, float[]> outputs = run(checkpoint, 1, inputs);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
    }
  }

  /** Exports for these vectors, and runs the step that stores every branch once. */
  private Map<String, float[]> run(Path checkpoint, int blocksPerEngine, Checkpoint io) {
    Path repository = folder.resolve("repository");
    ExportOptions options = ExportOptions.of("pixart").withBlocksPerEngine(blocksPerEngine);
    Choices choices =
        Choices.NONE
            .withResolution(
                new Resolution(8 * size(io, "hidden_states", 2), 8 * size(io, "hidden_states", 3)))
            .withTextTokens(size(io, "encoder_hidden_states", 1));
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      Model model = Model.of(source, choices);
      new Exporter(model, List.of(Exports.everyOther("r", model)), options).export(repository);
    }
    return infer(io, Names.route("pixart", "r", 0), inputs(io));
  }

  private static Map<String, Object> inputs(Checkpoint io) {
    Map<String, Object> inputs = new HashMap<>();
    inputs.put(Names.SAMPLE, floats(io, "hidden_states"));
    inputs.put(Names.TIMESTEP, longs(io, "timestep"));
    inputs.put(Names.TEXT_EMBEDDING, floats(io, "encoder_hidden_states"));
    inputs.put(Names.TEXT_MASK, longs(io, "encoder_attention_mask"));
    if (io.names().contains("resolution")) {
      inputs.put(Names.RESOLUTION, floats(io, "resolution"));
      inputs.put(Names.ASPECT_RATIO, floats(io, "aspect_ratio"));
    }
    return inputs;
  }

  private Map<String, float[]> infer(Checkpoint io, String model, Map<String, Object> inputs) {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder.resolve("repository"))) {
      return Inference.run(runtime, model, size(io, "hidden_states", 0), inputs);
    }
  }
}
