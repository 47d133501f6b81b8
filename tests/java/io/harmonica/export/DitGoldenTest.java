package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One pass through exported engines against diffusers and facebookresearch/DiT. */
@Tag("golden")
class DitGoldenTest {
  /** Absolute, as the vectors' README states it: float64 differs by 1.4e-6. */
  private static final double TOLERANCE = 1e-4;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 0})
  void diffusers_anyBlocksPerEngine(int blocksPerEngine) {
    try (Checkpoint io = Golden.open("dit/io.safetensors")) {
      Map<String, float[]> outputs =
          run(path("dit"), OptionalInt.empty(), blocksPerEngine, io, DIFFUSERS_INPUTS, true);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
      assertBranches(outputs, io, "ff");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 0})
  void facebook_anyBlocksPerEngine(int blocksPerEngine) {
    int heads = Golden.json("dit-facebook/arch.json").path("config").path("heads").asInt();
    try (Checkpoint io = Golden.open("dit-facebook/io.safetensors")) {
      Map<String, float[]> outputs =
          run(
              path("dit-facebook/model.pt"),
              OptionalInt.of(heads),
              blocksPerEngine,
              io,
              List.of("x", "t", "y"),
              true);
      assertClose(
          "output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output_facebook"), TOLERANCE);
      assertBranches(outputs, io, "mlp");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp16", "bf16"})
  void halfPrecisionFiles_areReadExactly(String precision) {
    assumeTrue(Files.isDirectory(path("dit/" + precision)), "a set without dit/" + precision);
    try (Checkpoint inputs = Golden.open("dit/io.safetensors");
        Checkpoint io = Golden.open("dit/io_half.safetensors")) {
      String output =
          io.names().stream().filter(name -> name.contains(precision)).findFirst().orElseThrow();
      Map<String, float[]> outputs =
          run(path("dit/" + precision), OptionalInt.empty(), 1, inputs, DIFFUSERS_INPUTS, false);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, output), TOLERANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "dit/legacy")
  void oldFolder_givesTheSame(String name) {
    try (Checkpoint io = Golden.open("dit/io.safetensors")) {
      Map<String, float[]> outputs =
          run(path(name), OptionalInt.empty(), 1, io, DIFFUSERS_INPUTS, false);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = "dit/config_norm_eps.json")
  void normEps_followsTheConfiguration(String config) throws IOException {
    Path checkpoint = Files.createDirectory(folder.resolve("norm_eps"));
    Files.copy(path(config), checkpoint.resolve("config.json"));
    String weights = "diffusion_pytorch_model.safetensors";
    Files.copy(path("dit").resolve(weights), checkpoint.resolve(weights));
    try (Checkpoint inputs = Golden.open("dit/io.safetensors");
        Checkpoint io = Golden.open("dit/io_norm_eps.safetensors")) {
      Map<String, float[]> outputs =
          run(checkpoint, OptionalInt.empty(), 1, inputs, DIFFUSERS_INPUTS, false);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), TOLERANCE);
    }
  }

  private static final List<String> DIFFUSERS_INPUTS =
      List.of("hidden_states", "timestep", "class_labels");

  private static void assertBranches(Map<String, float[]> outputs, Checkpoint io, String mlp) {
    int checked = 0;
    for (int block = 0; io.names().contains("block" + block + ".attn"); block++) {
      String name = String.format("block%02d", block);
      assertClose(
          name, outputs.get(name + ".attention"), floats(io, "block" + block + ".attn"), TOLERANCE);
      assertClose(
          name, outputs.get(name + ".mlp"), floats(io, "block" + block + "." + mlp), TOLERANCE);
      checked++;
    }
    assertThat(checked).isPositive();
  }

  /** Exports, runs the step that stores every branch once, and reads all outputs. */
  private Map<String, float[]> run(
      Path checkpoint,
      OptionalInt heads,
      int blocksPerEngine,
      Checkpoint io,
      List<String> names,
      boolean branches) {
    Path repository = folder.resolve("repository");
    ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(blocksPerEngine);
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      Model model = Model.of(source, heads);
      new Exporter(model, List.of(Exports.everyOther("r", model)), options).export(repository);
    }
    String ensemble = branches ? Names.route("dit", "r", 0) : "dit";
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository)) {
      Set<String> outputs = new HashSet<>();
      runtime.config(ensemble).getOutputList().forEach(output -> outputs.add(output.getName()));
      long[] shape = io.tensor(names.get(0)).shape().stream().mapToLong(Long::longValue).toArray();
      Map<String, float[]> results = new HashMap<>();
      try (Tensor sample = runtime.tensor(FloatBuffer.wrap(floats(io, names.get(0))), shape);
          Tensor t = runtime.tensor(LongBuffer.wrap(longs(io, names.get(1))), shape[0], 1);
          Tensor y = runtime.tensor(LongBuffer.wrap(longs(io, names.get(2))), shape[0], 1)) {
        Map<String, Tensor> inputs =
            Map.of(Names.SAMPLE, sample, Names.TIMESTEP, t, Names.CLASS_LABEL, y);
        runtime
            .infer(ensemble, inputs, outputs)
            .forEach(
                (name, tensor) -> {
                  FloatBuffer values = tensor.floats();
                  float[] copy = new float[values.remaining()];
                  values.get(copy);
                  results.put(name, copy);
                  tensor.close();
                });
      }
      return results;
    }
  }
}
