package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.model.Branch;
import io.harmonica.model.Conditioning;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes the ONNX graph of an engine: one walk over the model definition. */
final class EngineGraph {
  /** What a block engine calls the hidden state that it hands on. */
  static final String NEXT_HIDDEN = "next_hidden";

  /** A tensor at the edge of an engine, its shape after the batch. */
  record Port(String name, DataType type, long... shape) {}

  private final Denoiser model;
  private final Engine engine;
  private final Precision precision;
  private final Graph graph;
  private final OnnxOps ops;
  private final Map<String, long[]> embedded;
  private final Map<String, Port> inputs = new LinkedHashMap<>();
  private final Map<String, Port> outputs = new LinkedHashMap<>();
  private final Map<String, Value> values = new HashMap<>();

  EngineGraph(
      Denoiser model, Engine engine, Weights weights, WeightFile file, Precision precision) {
    this.model = model;
    this.engine = engine;
    this.precision = precision;
    this.graph = new Graph(engine.suffix(model));
    this.ops = new OnnxOps(graph, weights, file, precision);
    this.embedded = Shapes.embedded(model);
    walk();
  }

  ModelProto onnx() {
    return graph.model();
  }

  List<Port> inputs() {
    return List.copyOf(inputs.values());
  }

  List<Port> outputs() {
    return List.copyOf(outputs.values());
  }

  private void walk() {
    Conditioning<Value> conditioning = this::embeddedInput;
    if (engine.embed()) {
      Map<String, Value> samples = new HashMap<>();
      model
          .io()
          .inputs()
          .forEach((name, shape) -> samples.put(name, input(name, sampleType(name), shape)));
      Map<String, Value> results = model.embed(ops, samples);
      conditioning = results::get;
      if (engine.branches().isEmpty()) {
        results.forEach((name, value) -> output(name, value, embedded.get(name)));
        return;
      }
    }
    Value hidden = conditioning.get(Denoiser.HIDDEN); // (B, N, D)
    for (int i = 0; i < engine.branches().size(); i++) {
      int index = engine.branches().get(i);
      Branch branch = model.branches().get(index);
      Value output;
      if (engine.histories().get(i) == 0) {
        output = model.branch(ops, branch, hidden, conditioning);
        output(branch.name(), output, embedded.get(Denoiser.HIDDEN));
      } else {
        output = reuse(index, branch, engine.histories().get(i));
      }
      hidden = model.join(ops, branch, hidden, output, conditioning);
    }
    if (engine.head()) {
      Denoiser.Interface io = model.io();
      Value prediction = model.head(ops, hidden, conditioning);
      output(Names.NOISE_PREDICTION, prediction, io.outputChannels(), io.height(), io.width());
    } else {
      output(NEXT_HIDDEN, hidden, embedded.get(Denoiser.HIDDEN));
    }
  }

  /** The weighted sum of a branch's last outputs, newest first; one output is taken as it is. */
  private Value reuse(int index, Branch branch, int history) {
    Value sum = null;
    for (int age = 1; age <= history; age++) {
      Value past =
          input(
              Names.history(branch.name(), age),
              activations(),
              embedded.get(Denoiser.HIDDEN)); // (B, N, D)
      if (history > 1) {
        past = ops.mul(past, reuseWeight(index, age - 1));
      }
      sum = sum == null ? past : ops.add(sum, past);
    }
    return sum;
  }

  private Value reuseWeight(int branch, int age) {
    Value all =
        input(
            Names.REUSE_WEIGHTS,
            DataType.FLOAT,
            model.branches().size(),
            Route.MAX_HISTORY); // (B, branches, 3)
    Value weight = ops.slice(ops.slice(all, 1, branch, branch + 1), 2, age, age + 1);
    return ops.toPrecision(weight); // (B, 1, 1)
  }

  private Value embeddedInput(String name) {
    return input(name, activations(), embedded.get(name));
  }

  private Value input(String name, DataType type, long... shape) {
    return values.computeIfAbsent(
        name,
        key -> {
          inputs.put(name, new Port(name, type, shape));
          return graph.input(name, type, shape);
        });
  }

  private void output(String name, Value value, long... shape) {
    outputs.put(name, new Port(name, value.type(), shape));
    graph.output(name, value, shape);
  }

  private DataType activations() {
    return precision == Precision.FP16 ? DataType.FLOAT16 : DataType.FLOAT;
  }

  private static DataType sampleType(String input) {
    return input.equals(Names.SAMPLE) ? DataType.FLOAT : DataType.INT64;
  }
}
