package io.harmonica.export;

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
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Writes the ONNX graph of an engine: one walk over the model definition. */
final class EngineGraph {
  private final Denoiser model;
  private final Engine engine;
  private final Precision precision;
  private final Ports ports;
  private final OnnxOps ops;
  private final Map<String, long[]> embedded;

  EngineGraph(
      Denoiser model, Engine engine, Weights weights, WeightFile file, Precision precision) {
    this.model = model;
    this.engine = engine;
    this.precision = precision;
    Graph graph = new Graph(engine.suffix(model));
    this.ports = new Ports(graph);
    this.ops = new OnnxOps(graph, weights, file, precision);
    this.embedded = Shapes.embedded(model);
    walk();
  }

  Ports ports() {
    return ports;
  }

  private void walk() {
    Conditioning<Value> conditioning = this::embeddedInput;
    if (engine.condition()) {
      Map<String, Value> made = model.condition(ops, conditions());
      if (engine.branches().isEmpty()) {
        made.forEach((name, value) -> ports.output(name, value, embedded.get(name)));
        return;
      }
      conditioning = made::get;
    }
    Value hidden; // (B, N, D)
    if (engine.embed()) {
      hidden = model.tokens(ops, outerInput(Denoiser.SAMPLE, model.io().inputs()));
      if (engine.branches().isEmpty()) {
        ports.output(Denoiser.HIDDEN, hidden, embedded.get(Denoiser.HIDDEN));
        return;
      }
    } else {
      hidden = embeddedInput(Denoiser.HIDDEN);
    }
    for (int i = 0; i < engine.branches().size(); i++) {
      int index = engine.branches().get(i);
      Branch branch = model.branches().get(index);
      int history = engine.histories().get(i);
      if (history == 0) {
        Value output = model.branch(ops, branch, hidden, conditioning);
        ports.output(branch.name(), output, embedded.get(Denoiser.HIDDEN));
        hidden = model.join(ops, branch, hidden, output, conditioning);
      } else {
        hidden = reuse(index, hidden, history, model.gate(ops, branch, conditioning));
      }
    }
    if (engine.head()) {
      Denoiser.Interface io = model.io();
      Value prediction = model.head(ops, hidden, conditioning);
      ports.output(
          Names.NOISE_PREDICTION, prediction, io.outputChannels(), io.height(), io.width());
    } else {
      ports.output(Names.NEXT_HIDDEN, hidden, embedded.get(Denoiser.HIDDEN));
    }
  }

  /**
   * {@code hidden + sum_j (gate * w_j) * history_j} over a branch's last outputs, newest first; a
   * single one is taken as it is. A small factor for each output costs one pass over memory less
   * than summing them up before the gate.
   */
  private Value reuse(int index, Value hidden, int history, Optional<Value> gate) {
    String branch = model.branches().get(index).name();
    for (int age = 1; age <= history; age++) {
      Value past =
          ports.input(Names.history(branch, age), activations(), embedded.get(Denoiser.HIDDEN));
      Optional<Value> factor = gate; // (B, 1, D)
      if (history > 1) {
        Value weight = reuseWeight(index, age - 1); // (B, 1, 1)
        factor = Optional.of(gate.isPresent() ? ops.mul(gate.get(), weight) : weight);
      }
      hidden = ops.add(hidden, factor.isPresent() ? ops.mul(factor.get(), past) : past);
    }
    return hidden;
  }

  private Value reuseWeight(int branch, int age) {
    Value all =
        ports.input(
            Names.REUSE_WEIGHTS,
            DataType.FLOAT,
            model.branches().size(),
            Route.MAX_HISTORY); // (B, branches, 3)
    Value weight = ops.slice(ops.slice(all, 1, branch, branch + 1), 2, age, age + 1);
    return ops.toPrecision(weight); // (B, 1, 1)
  }

  /** The inputs that say when and what. */
  private Map<String, Value> conditions() {
    Map<String, long[]> shapes = model.io().inputs();
    return shapes.keySet().stream()
        .filter(name -> !name.equals(Denoiser.SAMPLE))
        .collect(Collectors.toMap(name -> name, name -> outerInput(name, shapes)));
  }

  private Value outerInput(String name, Map<String, long[]> shapes) {
    return ports.input(name, type(name), shapes.get(name));
  }

  private Value embeddedInput(String name) {
    return ports.input(name, activations(), embedded.get(name));
  }

  private DataType activations() {
    return precision == Precision.FP16 ? DataType.FLOAT16 : DataType.FLOAT;
  }

  private static DataType type(String input) {
    return Denoiser.Interface.isInteger(input) ? DataType.INT64 : DataType.FLOAT;
  }
}
