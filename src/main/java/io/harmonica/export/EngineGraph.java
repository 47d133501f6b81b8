package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.model.Conditioning;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Writes the ONNX graph of an engine: one walk over the model definition. */
final class EngineGraph {
  private final Denoiser model;
  private final Engine engine;
  private final Precision precision;
  private final Graph graph;
  private final Map<String, Value> inputs = new HashMap<>();
  private final OnnxOps ops;
  private final Map<String, long[]> handedOn;
  private final List<long[]> outputs;

  EngineGraph(
      Denoiser model, Engine engine, Weights weights, WeightFile file, Precision precision) {
    this.model = model;
    this.engine = engine;
    this.precision = precision;
    this.graph = new Graph(Names.engine(engine.role(model)));
    this.ops = new OnnxOps(graph, weights, file, precision);
    this.handedOn = Shapes.handedOn(model);
    this.outputs = Shapes.outputs(model);
    walk();
  }

  Graph graph() {
    return graph;
  }

  private void walk() {
    Conditioning<Value> conditioning = this::handedOn;
    if (engine.condition()) {
      Map<String, Value> made = model.condition(ops, conditions());
      if (engine.branches().isEmpty()) {
        made.forEach((name, value) -> graph.output(name, value, handedOn.get(name)));
        return;
      }
      conditioning = made::get;
    }
    Streams<Value> streams = Streams.from(this::handedOn);
    if (engine.embed()) {
      streams = model.begin(ops, input(model.io().sample()), conditioning);
    }
    if (!engine.branches().isEmpty()) {
      int first = engine.branches().get(0);
      int end = first + engine.branches().size();
      streams = model.blocks(ops, first, end, streams, conditioning, this::joined);
    }
    if (engine.head()) {
      Denoiser.Interface io = model.io();
      Value prediction = model.head(ops, streams, conditioning);
      graph.output(
          Names.NOISE_PREDICTION, prediction, io.outputChannels(), io.height(), io.width());
      return;
    }
    streams
        .made()
        .forEach(
            (name, value) ->
                graph.output(engine.embed() ? name : Names.next(name), value, handedOn.get(name)));
  }

  /** A branch's computed output, which is an output of the engine too, or its last ones. */
  private List<Term<Value>> joined(int branch, Supplier<Value> computed) {
    String name = model.branches().get(branch).name();
    int history = engine.histories().get(branch - engine.branches().get(0));
    if (history == 0) {
      Value output = computed.get();
      graph.output(name, output, outputs.get(branch));
      return Term.of(output);
    }
    List<Term<Value>> terms = new ArrayList<>();
    for (int age = 1; age <= history; age++) {
      Value past = input(Names.history(name, age), precision.element(), outputs.get(branch));
      Optional<Value> weight =
          history == 1 ? Optional.empty() : Optional.of(reuseWeight(branch, age - 1));
      terms.add(new Term<>(weight, past));
    }
    return terms;
  }

  private Value reuseWeight(int branch, int age) {
    Value all =
        input(
            Names.REUSE_WEIGHTS,
            Element.FP32,
            model.branches().size(),
            Route.MAX_HISTORY); // (B, branches, 3)
    Value weight = ops.slice(ops.slice(all, 1, branch, branch + 1), 2, age, age + 1);
    return ops.toPrecision(weight); // (B, 1, 1)
  }

  /** The inputs that say when and what. */
  private Map<String, Value> conditions() {
    return model.io().conditions().stream().collect(Collectors.toMap(Port::name, this::input));
  }

  private Value handedOn(String name) {
    return input(name, precision.element(), handedOn.get(name));
  }

  private Value input(Port port) {
    return input(port.name(), port.type(), port.shape());
  }

  /** The input of this name, declared when first asked for. */
  private Value input(String name, Element type, long... shape) {
    return inputs.computeIfAbsent(name, key -> graph.input(name, type, shape));
  }
}
