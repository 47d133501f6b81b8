package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.difference;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shapes;
import io.harmonica.model.Streams;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Longs;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both interpreters on every golden model, against each other and against the golden numbers. */
@Tag("golden")
class TorchGoldenTest {
  /** Absolute, as the vectors' README states it: float64 differs by 1.4e-6. */
  private static final double GOLDEN = 1e-4;

  /** Absolute: the two sum in different orders; measured up to 9e-6 where outputs reach 6. */
  private static final double PARITY = 3e-5;

  private static final List<String> DIFFUSERS =
      List.of("hidden_states", "timestep", "class_labels");

  @TempDir Path folder;

  /**
   * A golden model.
   *
   * @param checkpoint its weights, where they must not be copied beside {@code config}
   * @param config a configuration to use instead of its own; may be null
   * @param inputs the file and the names in it of sample, timesteps and labels
   * @param outputs the file with the results
   * @param output the prediction's name in it
   * @param mlp what the vectors call that branch; null where they have no branch outputs
   */
  private record Case(
      String checkpoint,
      String config,
      String inputs,
      List<String> names,
      String outputs,
      String output,
      String mlp) {
    @Override
    public String toString() {
      return config == null ? checkpoint : config;
    }
  }

  private static final List<String> PIXART =
      List.of(
          "hidden_states",
          "timestep",
          "encoder_hidden_states",
          "encoder_attention_mask",
          "resolution",
          "aspect_ratio");

  private static final List<String> UVIT = List.of("x", "timesteps", "y", "context");

  static Stream<Case> models() throws IOException {
    return Stream.of(dits(), pixArts(), uVits()).flatMap(cases -> cases);
  }

  private static Stream<Case> uVits() {
    return UVitVectors.all().stream()
        .map(
            vectors -> {
              String io = vectors.folder() + "/io.safetensors";
              String weights = vectors.folder() + "/model.pth";
              return new Case(weights, null, io, UVIT, io, "output", "mlp");
            });
  }

  /** Every flavour at every size. */
  private static Stream<Case> pixArts() throws IOException {
    List<Case> cases = new ArrayList<>();
    try (Stream<Path> files = Files.walk(path("pixart"))) {
      for (Path file : files.sorted().toList()) {
        if (file.getFileName().toString().matches("io.*\\.safetensors")) {
          String io = path("").relativize(file).toString();
          String folder = path("").relativize(file.getParent()).toString();
          cases.add(new Case(folder, null, io, PIXART, io, "output", "ff"));
        }
      }
    }
    return cases.stream();
  }

  private static Stream<Case> dits() {
    String io = "dit/io.safetensors";
    String half = "dit/io_half.safetensors";
    String eps = "dit/io_norm_eps.safetensors";
    String facebook = "dit-facebook/io.safetensors";
    return Stream.of(
        new Case("dit", null, io, DIFFUSERS, io, "output", "ff"),
        new Case("dit/legacy", null, io, DIFFUSERS, io, "output", "ff"),
        new Case("dit", "dit/config_norm_eps.json", io, DIFFUSERS, eps, "output", null),
        new Case("dit/fp16", null, io, DIFFUSERS, half, "fp16", null),
        new Case("dit/bf16", null, io, DIFFUSERS, half, "bf16", null),
        new Case(
            "dit-facebook/model.pt",
            null,
            facebook,
            List.of("x", "t", "y"),
            facebook,
            "output_facebook",
            "mlp"));
  }

  @ParameterizedTest
  @MethodSource("models")
  void prediction_isTheGoldenOne_andOnnxOps(Case golden) throws IOException {
    assumeTrue(Files.exists(path(golden.checkpoint)), "a set without " + golden.checkpoint);
    try (Checkpoint checkpoint = open(golden);
        Checkpoint io = Golden.open(golden.inputs);
        Checkpoint expected = Golden.open(golden.outputs)) {
      Model model = Model.of(checkpoint, choices(golden, io));
      Map<String, Object> inputs = inputs(golden, io);
      Map<String, float[]> torch = runTorch(model, inputs, Precision.FP32);
      Map<String, float[]> onnx = runOnnx(model, inputs);

      assertThat(torch).hasSize(model.denoiser().branches().size() + 1);
      assertThat(torch.keySet()).isEqualTo(onnx.keySet());
      torch.forEach((name, values) -> assertClose(name, values, onnx.get(name), PARITY));

      String output =
          expected.names().stream()
              .filter(n -> n.contains(golden.output))
              .findFirst()
              .orElseThrow();
      assertClose("output", torch.get(Pass.PREDICTION), floats(expected, output), GOLDEN);
      if (golden.mlp != null) {
        Map<String, String> kinds =
            Map.of("attention", "attn", "cross_attention", "cross", "mlp", golden.mlp);
        for (Branch branch : model.denoiser().branches()) {
          String theirs = "block" + branch.block() + "." + kinds.get(branch.kind());
          assertClose(theirs, torch.get(branch.name()), floats(expected, theirs), GOLDEN);
        }
      }
    }
  }

  /** bf16 keeps 4e-3 of a number: measured up to 0.04 where outputs reach 3. */
  @ParameterizedTest
  @MethodSource("models")
  void bf16_isNear(Case golden) throws IOException {
    assumeTrue(Files.exists(path(golden.checkpoint)), "a set without " + golden.checkpoint);
    try (Checkpoint checkpoint = open(golden);
        Checkpoint io = Golden.open(golden.inputs)) {
      Model model = Model.of(checkpoint, choices(golden, io));
      Map<String, Object> inputs = inputs(golden, io);
      float[] fp32 = runTorch(model, inputs, Precision.FP32).get(Pass.PREDICTION);
      float[] bf16 = runTorch(model, inputs, Precision.BF16).get(Pass.PREDICTION);
      assertThat(difference(bf16, fp32)).isBetween(1e-4, 0.1);
    }
  }

  private Checkpoint open(Case golden) throws IOException {
    if (golden.config == null) {
      return Checkpoint.open(path(golden.checkpoint));
    }
    Path copy = Files.createDirectory(folder.resolve("checkpoint"));
    Files.copy(path(golden.config), copy.resolve("config.json"));
    String weights = "diffusion_pytorch_model.safetensors";
    Files.copy(path(golden.checkpoint).resolve(weights), copy.resolve(weights));
    return Checkpoint.open(copy);
  }

  private static Choices choices(Case golden, Checkpoint io) {
    if (golden.names == UVIT) {
      return vectors(golden).choices();
    }
    if (golden.checkpoint.endsWith(".pt")) {
      JsonNode config = Golden.json("dit-facebook/arch.json").path("config");
      return Choices.NONE.withHeads(OptionalInt.of(config.path("heads").asInt()));
    }
    if (golden.names != PIXART) {
      return Choices.NONE;
    }
    String sample = golden.names.get(0);
    return Choices.NONE
        .withResolution(new Resolution(8 * size(io, sample, 2), 8 * size(io, sample, 3)))
        .withTextTokens(size(io, "encoder_hidden_states", 1));
  }

  private static Map<String, Object> inputs(Case golden, Checkpoint io) {
    Map<String, Object> inputs = new HashMap<>();
    int rows = size(io, golden.names.get(0), 0);
    if (golden.names == UVIT) {
      inputs.put("sample", tensor(io, "x"));
      inputs.put("timestep", new Floats(floats(io, "timesteps"), rows, 1));
      if (io.names().contains("y")) {
        inputs.put("class_label", new Longs(longs(io, "y"), rows, 1));
      }
      if (io.names().contains("context")) {
        inputs.put("text_embedding", tensor(io, "context"));
      }
      return inputs;
    }
    inputs.put("sample", tensor(io, golden.names.get(0)));
    inputs.put("timestep", new Longs(longs(io, golden.names.get(1)), rows, 1));
    if (golden.names != PIXART) {
      inputs.put("class_label", new Longs(longs(io, golden.names.get(2)), rows, 1));
      return inputs;
    }
    inputs.put("text_embedding", tensor(io, "encoder_hidden_states"));
    String mask = "encoder_attention_mask";
    inputs.put("text_mask", new Longs(longs(io, mask), rows, size(io, mask, 1)));
    for (String size : List.of("resolution", "aspect_ratio")) {
      if (io.names().contains(size)) {
        inputs.put(size, tensor(io, size));
      }
    }
    return inputs;
  }

  private static UVitVectors vectors(Case golden) {
    return new UVitVectors(golden.checkpoint.replace("/model.pth", ""));
  }

  private static Floats tensor(Checkpoint io, String name) {
    long[] shape = io.tensor(name).shape().stream().mapToLong(Long::longValue).toArray();
    return new Floats(floats(io, name), shape);
  }

  private static Map<String, float[]> runTorch(
      Model model, Map<String, Object> inputs, Precision precision) {
    try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), precision);
        Scope scope = Scope.withoutGradients()) {
      Map<String, Value> values = new HashMap<>();
      inputs.forEach(
          (name, input) ->
              values.put(
                  name,
                  input instanceof Floats floats
                      ? ops.input(floats.values(), floats.shape())
                      : ops.input(((Longs) input).values(), ((Longs) input).shape())));
      Map<String, float[]> outputs = new LinkedHashMap<>();
      Pass.run(model.denoiser(), ops, values)
          .forEach((name, value) -> outputs.put(name, value.floats()));
      return outputs;
    }
  }

  private Map<String, float[]> runOnnx(Model model, Map<String, Object> inputs) throws IOException {
    Graph graph = new Graph("pass");
    Path place = Files.createDirectory(folder.resolve("onnx"));
    try (WeightFile file = WeightFile.create(place.resolve(WeightFile.NAME))) {
      OnnxOps ops = new OnnxOps(graph, model.weights(), file, io.harmonica.onnx.Precision.FP32);
      Map<String, io.harmonica.onnx.Value> values = new HashMap<>();
      Denoiser.Interface io = model.denoiser().io();
      Stream.concat(Stream.of(io.sample()), io.conditions().stream())
          .forEach(
              port -> values.put(port.name(), graph.input(port.name(), port.type(), port.shape())));
      long[] prediction = {io.outputChannels(), io.height(), io.width()};
      long[] branch = Shapes.handedOn(model.denoiser()).get(Streams.HIDDEN);
      Pass.run(model.denoiser(), ops, values)
          .forEach(
              (name, value) ->
                  graph.output(name, value, name.equals(Pass.PREDICTION) ? prediction : branch));
    }
    Map<String, float[]> outputs = new LinkedHashMap<>();
    Evaluation.run(graph.model(), place, inputs)
        .forEach((name, floats) -> outputs.put(name, floats.values()));
    return outputs;
  }
}
