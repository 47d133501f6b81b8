package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.difference;
import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.Streams;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  @TempDir Path folder;

  static Stream<GoldenCase> models() throws IOException {
    return Stream.of(GoldenCase.dits(), GoldenCase.pixArts(), GoldenCase.uVits())
        .flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("models")
  void prediction_isTheGoldenOne_andOnnxOps(GoldenCase golden) throws IOException {
    assumeTrue(golden.exists(), "a set without " + golden.checkpoint());
    try (Checkpoint checkpoint = golden.open(folder);
        Checkpoint io = Golden.open(golden.inputs());
        Checkpoint expected = Golden.open(golden.outputs())) {
      Model model = golden.model(checkpoint, io);
      Map<String, float[]> torch = runTorch(model, golden, io, Precision.FP32);
      Map<String, float[]> onnx = runOnnx(model, golden.inputs(io));

      assertThat(torch).hasSize(model.denoiser().branches().size() + 1);
      assertThat(torch.keySet()).isEqualTo(onnx.keySet());
      torch.forEach((name, values) -> assertClose(name, values, onnx.get(name), PARITY));

      String output =
          expected.names().stream()
              .filter(n -> n.contains(golden.output()))
              .findFirst()
              .orElseThrow();
      assertClose("output", torch.get(Pass.PREDICTION), floats(expected, output), GOLDEN);
      if (golden.mlp() != null) {
        Map<String, String> kinds =
            Map.of("attention", "attn", "cross_attention", "cross", "mlp", golden.mlp());
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
  void bf16_isNear(GoldenCase golden) throws IOException {
    assumeTrue(golden.exists(), "a set without " + golden.checkpoint());
    try (Checkpoint checkpoint = golden.open(folder);
        Checkpoint io = Golden.open(golden.inputs())) {
      Model model = golden.model(checkpoint, io);
      float[] fp32 = runTorch(model, golden, io, Precision.FP32).get(Pass.PREDICTION);
      float[] bf16 = runTorch(model, golden, io, Precision.BF16).get(Pass.PREDICTION);
      assertThat(difference(bf16, fp32)).isBetween(1e-4, 0.1);
    }
  }

  private static Map<String, float[]> runTorch(
      Model model, GoldenCase golden, Checkpoint io, Precision precision) {
    try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), precision);
        Scope scope = Scope.withoutGradients()) {
      Map<String, float[]> outputs = new LinkedHashMap<>();
      Pass.run(model.denoiser(), ops, golden.inputs(io, ops))
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
