package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.model.Branch;
import io.harmonica.model.Change;
import io.harmonica.model.Conditioning;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.KeptRows;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import io.harmonica.router.Run;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** Writes the ONNX graph of an engine: one walk over the model definition. */
final class EngineGraph {
  private final Denoiser model;
  private final Numbers numbers;
  private final Graph graph;
  private final Map<String, Value> inputs = new HashMap<>();
  private final Ops<Value> ops;
  private final KeptRows rows;
  private final Map<String, long[]> handedOn;
  private final List<long[]> outputs;

  /**
   * Of an engine.
   *
   * @param handedOn shapes of what engines hand on, after the batch
   * @param outputs shapes of the branches' outputs, after the batch
   */
  EngineGraph(
      Denoiser model,
      Engine engine,
      Weights weights,
      WeightFile file,
      Numbers numbers,
      Map<String, long[]> handedOn,
      List<long[]> outputs) {
    this.model = model;
    this.numbers = numbers;
    this.graph = new Graph(Names.engine(engine.role()));
    this.ops = numbers.ops(graph, weights, file);
    this.rows = new KeptRows(graph, ops);
    this.handedOn = handedOn;
    this.outputs = outputs;
    engine.draw(this);
  }

  Graph graph() {
    return graph;
  }

  /** Some of what depends on timestep and condition only. */
  void condition(List<String> names) {
    Map<String, Supplier<Value>> all = model.conditions(ops, this::condition);
    names.forEach(name -> graph.output(name, all.get(name).get(), handedOn.get(name)));
  }

  void embed() {
    begin(this::handedOn)
        .made()
        .forEach((name, value) -> graph.output(name, value, handedOn.get(name)));
  }

  private Streams<Value> begin(Conditioning<Value> conditioning) {
    return model.begin(ops, input(model.io().sample()), conditioning);
  }

  void head() {
    predict(Streams.from(this::handedOn), this::handedOn);
  }

  private void predict(Streams<Value> streams, Conditioning<Value> conditioning) {
    Denoiser.Interface io = model.io();
    Value prediction = model.head(ops, streams, conditioning);
    graph.output(Names.NOISE_PREDICTION, prediction, io.outputChannels(), io.height(), io.width());
  }

  /**
   * Consecutive branches, with what their blocks do before them.
   *
   * @param histories of them: 0 computes, k reuses the last k outputs
   */
  void blocks(int first, List<Integer> histories) {
    handOn(
        model.blocks(
            ops,
            first,
            first + histories.size(),
            Streams.from(this::handedOn),
            this::handedOn,
            (branch, computed) -> joined(branch, histories.get(branch - first), computed)));
  }

  /** From sample to prediction. */
  void step(Route route, Map<Run, Change> changes) {
    Conditioning<Value> conditioning = model.condition(ops, this::condition)::get;
    Streams<Value> streams = begin(conditioning);
    Map<Run, Streams<Value>> before = new HashMap<>();
    List<String> names = Run.columns(model.branchNames(), route.runs());
    for (int b = 0; b < route.branches(); b++) {
      for (int r = 0; r < route.runs().size(); r++) {
        Run run = route.runs().get(r);
        if (run.first() == b) {
          before.put(run, streams);
          if (route.runHistory(r) > 0) {
            String name = names.get(route.branches() + r);
            streams = add(changes.get(run), name, route.runHistory(r), streams);
          }
        }
      }
      int history = route.histories().get(b);
      if (history != Route.LEFT_OUT) {
        streams =
            model.blocks(
                ops,
                b,
                b + 1,
                streams,
                conditioning,
                (branch, computed) -> joined(branch, history, computed));
      }
      for (int r = 0; r < route.runs().size(); r++) {
        Run run = route.runs().get(r);
        if (run.last() == b && route.storesRun(r)) {
          change(changes.get(run), names.get(route.branches() + r), before.get(run), streams);
        }
      }
    }
    predict(streams, conditioning);
  }

  void enter(int block) {
    handOn(model.enter(ops, block, Streams.from(this::handedOn), this::handedOn));
  }

  void branch(int index) {
    Branch branch = model.branches().get(index);
    Streams<Value> streams = Streams.from(this::handedOn);
    Value output = model.branch(ops, branch, streams, this::handedOn);
    keep(branch.name(), output, outputs.get(index));
    handOn(model.join(ops, branch, streams, Term.of(output), this::handedOn));
  }

  /** For any branch that joins as this one does: ports do not name its block. */
  void reused(int index, int history) {
    Branch branch = model.branches().get(index);
    String block = Branch.blockName(branch.block()) + ".";
    Conditioning<Value> conditioning =
        name ->
            name.startsWith(block)
                ? input(
                    Names.BLOCK + "." + name.substring(block.length()),
                    numbers.element(),
                    handedOn.get(name))
                : handedOn(name);
    List<Term<Value>> terms = past(Names.OUTPUT, history, outputs.get(index));
    handOn(model.join(ops, branch, Streams.from(this::handedOn), terms, conditioning));
  }

  void added(Change change, int history) {
    handOn(add(change, Names.OUTPUT, history, Streams.from(this::handedOn)));
  }

  void changed(Change change) {
    Streams<Value> before =
        Streams.from(name -> input(Names.before(name), numbers.element(), handedOn.get(name)));
    change(change, Names.OUTPUT, before, Streams.from(this::handedOn));
  }

  void weights() {
    for (int branch = 0; branch < model.branches().size(); branch++) {
      Value own = ops.slice(allWeights(), 1, branch, branch + 1); // (B, 1, 3)
      String name = Names.weights(model.branches().get(branch).name());
      graph.output(name, own, 1, Route.MAX_HISTORY);
    }
  }

  private Streams<Value> add(Change change, String name, int history, Streams<Value> streams) {
    return change.add(ops, streams, past(name, history, shape(change)));
  }

  private void change(Change change, String name, Streams<Value> before, Streams<Value> after) {
    keep(name, change.of(ops, before, after), shape(change));
  }

  private long[] shape(Change change) {
    return new long[] {change.rows(), handedOn.get(change.parts().get(0).stream())[1]};
  }

  private void handOn(Streams<Value> streams) {
    streams
        .made()
        .forEach((name, value) -> graph.output(Names.next(name), value, handedOn.get(name)));
  }

  /** A branch's computed output, which is an output of the engine too, or its last ones. */
  private List<Term<Value>> joined(int branch, int history, Supplier<Value> computed) {
    String name = model.branches().get(branch).name();
    if (history == 0) {
      Value output = computed.get();
      keep(name, output, outputs.get(branch));
      return Term.of(output);
    }
    return past(name, history, outputs.get(branch), age -> weight(allWeights(), branch, age));
  }

  /** Cached outputs whose weights have an input of their own. */
  private List<Term<Value>> past(String name, int history, long[] shape) {
    return past(name, history, shape, age -> weight(ownWeights(name), 0, age));
  }

  private List<Term<Value>> past(
      String name, int history, long[] shape, IntFunction<Value> weights) {
    List<Term<Value>> terms = new ArrayList<>();
    for (int age = 1; age <= history; age++) {
      Value kept = input(numbers.kept(Names.history(name, age), shape));
      Value past = numbers.cacheInt8() ? rows.read(kept, shape) : kept;
      Optional<Value> weight =
          history == 1 ? Optional.empty() : Optional.of(weights.apply(age - 1));
      terms.add(new Term<>(weight, past));
    }
    return terms;
  }

  /** What a later step may reuse. */
  private void keep(String name, Value output, long... shape) {
    Value kept = numbers.cacheInt8() ? rows.of(output) : output;
    graph.output(name, kept, numbers.kept(name, shape).shape());
  }

  private Value weight(Value all, int row, int age) {
    Value weight = ops.slice(ops.slice(all, 1, row, row + 1), 2, age, age + 1);
    return ops.toPrecision(weight); // (B, 1, 1)
  }

  /** (B, branches, 3). */
  private Value allWeights() {
    return input(Names.REUSE_WEIGHTS, Element.FP32, model.branches().size(), Route.MAX_HISTORY);
  }

  /** (B, 1, 3). */
  private Value ownWeights(String name) {
    return input(Names.weights(name), Element.FP32, 1, Route.MAX_HISTORY);
  }

  /** An input that says when or what. */
  private Value condition(String name) {
    return model.io().conditions().stream()
        .filter(port -> port.name().equals(name))
        .findFirst()
        .map(this::input)
        .orElseThrow();
  }

  private Value handedOn(String name) {
    return input(name, numbers.element(), handedOn.get(name));
  }

  private Value input(Port port) {
    return input(port.name(), port.type(), port.shape());
  }

  /** The input of this name, declared when first asked for. */
  private Value input(String name, Element type, long... shape) {
    return inputs.computeIfAbsent(name, key -> graph.input(name, type, shape));
  }
}
