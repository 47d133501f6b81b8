package io.harmonica.torch;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Element;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** Holds each branch of an engine to libtorch's, given what libtorch gives it. */
record Branchwise(Path folder, GoldenCase golden, Model model, Checkpoint vectors) {

  /** An engine's interpreter, and how ONNX Runtime is told to run it. */
  record Engine(
      Weights weights,
      io.harmonica.onnx.Precision precision,
      Function<OnnxOps, Ops<io.harmonica.onnx.Value>> ops,
      Map<String, String> settings) {}

  /**
   * Compares.
   *
   * @param ops libtorch's, in the engine's numbers
   * @param most root mean square of a difference, relative to that of the output
   */
  void assertClose(Ops<Value> ops, Engine engine, double most) throws IOException {
    Files.createDirectories(folder);
    try (WeightFile file = WeightFile.create(folder.resolve(WeightFile.NAME))) {
      Denoiser denoiser = model.denoiser();
      Graph graph = new Graph("branches");
      Ops<io.harmonica.onnx.Value> onnx =
          engine.ops.apply(new OnnxOps(graph, engine.weights, file, engine.precision));
      Map<String, Object> read = new HashMap<>();
      Map<String, float[]> expected = new LinkedHashMap<>();
      try (TorchOps data = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Map<String, Value> inputs = golden.inputs(vectors, data);
        Map<String, Value> conditions = denoiser.condition(ops, inputs::get);
        Streams<Value> streams = denoiser.begin(ops, inputs.get("sample"), conditions::get);
        int block = -1;
        for (Branch branch : denoiser.branches()) {
          if (branch.block() != block) {
            block = branch.block();
            streams = denoiser.enter(ops, block, streams, conditions::get);
          }
          Value output = denoiser.branch(ops, branch, streams, conditions::get);
          expected.put(branch.name(), output.floats());
          Streams<Value> before = streams;
          graph.output(
              branch.name(),
              denoiser.branch(
                  onnx,
                  branch,
                  Streams.from(
                      name -> input(graph, read, branch.name() + "." + name, before.get(name))),
                  name -> input(graph, read, name, conditions.get(name))),
              afterBatch(output));
          streams = denoiser.join(ops, branch, streams, Term.of(output), conditions::get);
        }
      }
      Evaluation.run(graph.model(), folder, read, engine.settings)
          .forEach(
              (name, floats) ->
                  assertThat(apart(floats.values(), expected.get(name))).as(name).isLessThan(most));
    }
  }

  private static io.harmonica.onnx.Value input(
      Graph graph, Map<String, Object> read, String name, Value value) {
    if (read.put(name, new Floats(value.floats(), value.shape())) == null) {
      graph.input(name, Element.FP32, afterBatch(value));
    }
    return new io.harmonica.onnx.Value(name, Element.FP32);
  }

  private static long[] afterBatch(Value value) {
    long[] shape = value.shape();
    return Arrays.copyOfRange(shape, 1, shape.length);
  }

  /** Root mean square of the difference, relative to that of what is expected. */
  static double apart(float[] actual, float[] expected) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / size);
  }
}
