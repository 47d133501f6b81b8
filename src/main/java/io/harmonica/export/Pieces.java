package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.model.Branch;
import io.harmonica.model.Change;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.StreamLives;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import io.harmonica.repository.Cut;
import io.harmonica.repository.Role;
import io.harmonica.router.Route;
import io.harmonica.router.Run;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A model in engines of one size: which its uncached step runs, which others any route needs, and
 * what each of them computes.
 */
final class Pieces {
  private final Model model;
  private final Numbers numbers;
  private final EngineSize size;
  private final Map<String, long[]> handedOn;
  private final List<long[]> outputs;
  private final StreamLives lives;
  private final Map<Role, Engine> conditions = new LinkedHashMap<>();
  private final Map<String, Integer> joining = new LinkedHashMap<>(); // a branch, by its shape
  private final Map<String, Change> changes = new HashMap<>(); // by shape
  private final Cut cut;

  /** An engine in its turn. */
  record Link(Engine engine, Cut.Turn turn) {}

  /**
   * Of a model.
   *
   * @param most bytes of weights that an engine of conditions may have, unless one alone has more
   */
  Pieces(Model model, EngineSize size, Numbers numbers, long most) {
    this.model = model;
    this.numbers = numbers;
    this.size = size;
    this.handedOn = Shapes.handedOn(model.denoiser());
    this.outputs = Shapes.outputs(model.denoiser());
    this.lives = StreamLives.of(model.denoiser());
    conditions(most).forEach(engine -> conditions.put(engine.role(), engine));
    this.cut =
        new Cut(uncached().stream().map(Engine::role).toList(), model.denoiser().branchNames());
  }

  /** Its graph, for what it takes and gives. */
  private Graph measured(Engine engine) {
    return graph(engine, WeightFile.measure());
  }

  Graph graph(Engine engine, WeightFile weights) {
    return new EngineGraph(
            model.denoiser(), engine, model.weights(), weights, numbers, handedOn, outputs)
        .graph();
  }

  /** The engines of the uncached step. */
  private List<Engine> uncached() {
    Denoiser denoiser = model.denoiser();
    int branches = denoiser.branches().size();
    if (size instanceof EngineSize.Step) {
      Route full = Route.full(branches);
      return List.of(new Engine.Step(Role.step(full.variant()), full, Map.of()));
    }
    List<Engine> engines = new ArrayList<>();
    engines.addAll(conditions.values());
    engines.add(new Engine.Embed(Role.embed(lives)));
    if (size instanceof EngineSize.Blocks blocks) {
      engines.addAll(groups(blocks.count()));
    } else {
      for (int branch = 0; branch < branches; branch++) {
        engines.addAll(alone(branch));
      }
    }
    engines.add(new Engine.Head(Role.of(Role.Kind.HEAD)));
    return engines;
  }

  /**
   * One engine, or as many as keep to a size: the modulation of FLUX.1-dev's blocks is 13 GB in
   * fp32.
   */
  private List<Engine> conditions(long most) {
    List<String> all = Shapes.conditions(model.denoiser());
    Role whole = Role.of(Role.Kind.CONDITION);
    Engine one = new Engine.Condition(whole, all);
    if (sizeBytes(one) <= most) {
      return List.of(one);
    }
    long shared = sizeBytes(new Engine.Condition(whole, List.of())); // each engine has this
    List<Engine> engines = new ArrayList<>();
    List<String> names = new ArrayList<>(); // of the engine that is being filled
    long bytes = WeightFile.aligned(shared);
    for (String name : all) {
      long both = sizeBytes(new Engine.Condition(whole, List.of(name)));
      long own = WeightFile.aligned(both - shared);
      if (!names.isEmpty() && bytes + own > most) {
        engines.add(condition(engines.size(), names));
        names.clear();
        bytes = WeightFile.aligned(shared);
      }
      names.add(name);
      bytes += own;
    }
    engines.add(condition(engines.size(), names));
    return engines;
  }

  private static Engine condition(int number, List<String> names) {
    Role role = Role.condition(String.format(Locale.ROOT, "%02d", number));
    return new Engine.Condition(role, List.copyOf(names));
  }

  /** What makes all conditions of a step; none where one engine makes the whole step. */
  Collection<Engine> conditions() {
    return size instanceof EngineSize.Step ? List.of() : conditions.values();
  }

  private long sizeBytes(Engine engine) {
    WeightFile weights = WeightFile.measure();
    graph(engine, weights);
    return weights.sizeBytes();
  }

  private List<Engine> groups(int blocksPerEngine) {
    List<Branch> all = model.denoiser().branches();
    List<Engine> engines = new ArrayList<>();
    int end;
    for (int first = 0; first < all.size(); first = end) {
      int group = all.get(first).block() / blocksPerEngine;
      end = first;
      while (end < all.size() && all.get(end).block() / blocksPerEngine == group) {
        end++;
      }
      String from = number(all.get(first));
      String to = number(all.get(end - 1));
      String blocks = from.equals(to) ? from : from + "-" + to;
      engines.add(new Engine.Blocks(Role.block(blocks, "c".repeat(end - first)), first));
    }
    return engines;
  }

  /** Of its block, as roles have it. */
  private static String number(Branch branch) {
    return String.format(Locale.ROOT, "%02d", branch.block());
  }

  /** A branch, after what its block does before its first one. */
  private List<Engine> alone(int index) {
    List<Branch> all = model.denoiser().branches();
    Branch branch = all.get(index);
    String block = number(branch);
    List<Engine> engines = new ArrayList<>();
    if (index == 0 || all.get(index - 1).block() != branch.block()) {
      Engine enter = new Engine.Enter(Role.enter(block), branch.block());
      if (!measured(enter).outputs().isEmpty()) {
        engines.add(enter);
      }
    }
    Role role = Role.branch(block + "." + branch.kind(), joining(index));
    engines.add(new Engine.Alone(role, index));
    return engines;
  }

  /** The name of all branches that add cached outputs by the same operations as this one. */
  private String joining(int index) {
    String kind = model.denoiser().branches().get(index).kind();
    ModelProto own = reusing(kind, index);
    for (Map.Entry<String, Integer> other : joining.entrySet()) {
      if (reusing(kind, other.getValue()).equals(own)) {
        return other.getKey();
      }
    }
    String shape = kind;
    for (int n = 2; joining.containsKey(shape); n++) {
      shape = kind + "-" + n;
    }
    joining.put(shape, index);
    return shape;
  }

  private ModelProto reusing(String shape, int index) {
    Role role = Role.branch("", shape).reuse(Route.MAX_HISTORY);
    return measured(new Engine.Reused(role, index)).model();
  }

  /** The engines of a route, in order. */
  List<Link> of(Route route) {
    return cut.of(route).stream().map(turn -> new Link(engine(turn, route), turn)).toList();
  }

  private Engine engine(Cut.Turn turn, Route route) {
    Role role = turn.role();
    return switch (role.kind()) {
      case CONDITION -> conditions.get(role);
      case EMBED -> new Engine.Embed(role);
      case HEAD -> new Engine.Head(role);
      case BLOCK -> new Engine.Blocks(role, turn.first());
      case STEP -> new Engine.Step(role, route, changesOf(route));
      case ENTER -> new Engine.Enter(role, model.denoiser().branches().get(turn.first()).block());
      case BRANCH -> new Engine.Alone(role, turn.first());
      case REUSE -> new Engine.Reused(role, joining.get(role.shape()));
      case WEIGHTS -> new Engine.WeightsOfBranches(role);
      case RUN -> new Engine.Added(role, change(role.shape(), route));
      case CHANGE -> new Engine.Changed(role, change(role.shape(), route));
      default -> throw new IllegalStateException(role + " is no part of a step");
    };
  }

  private Change change(String shape, Route route) {
    if (!changes.containsKey(shape)) {
      route.runs().forEach(run -> note(cut.streams(run)));
    }
    return changes.get(shape);
  }

  private void note(List<StreamLives.Stream> streams) {
    List<StreamLives.Stream> shared = StreamLives.Stream.shared(streams);
    for (int i = 0; i < streams.size(); i++) {
      handedOn.putIfAbsent(shared.get(i).name(), handedOn.get(streams.get(i).name()));
    }
    changes.putIfAbsent(Cut.shape(streams), Change.of(shared, handedOn));
  }

  /** Of a whole step's runs, which no engine's ports show. */
  private Map<Run, Change> changesOf(Route route) {
    Map<Run, Change> own = new HashMap<>();
    route
        .runs()
        .forEach(run -> own.put(run, Change.of(lives.changed(run.first(), run.last()), handedOn)));
    return own;
  }

  /** What a router may need that nobody knows yet: engines without weights. */
  Set<Engine> always() {
    Set<Engine> engines = new LinkedHashSet<>();
    if (!(size instanceof EngineSize.Branch)) {
      return engines;
    }
    engines.add(new Engine.WeightsOfBranches(Role.of(Role.Kind.WEIGHTS)));
    int branches = model.denoiser().branches().size();
    for (int first = 0; first < branches; first++) {
      for (int last = first; last < branches; last++) {
        note(cut.streams(new Run(first, last)));
      }
    }
    for (int history = 1; history <= Route.MAX_HISTORY; history++) {
      int own = history;
      joining.forEach(
          (shape, branch) ->
              engines.add(new Engine.Reused(Role.branch("", shape).reuse(own), branch)));
      changes.forEach(
          (shape, change) -> engines.add(new Engine.Added(Role.run(shape, own), change)));
    }
    changes.forEach((shape, change) -> engines.add(new Engine.Changed(Role.change(shape), change)));
    return engines;
  }
}
