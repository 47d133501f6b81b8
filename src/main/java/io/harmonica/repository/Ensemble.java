package io.harmonica.repository;

import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.Port;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.router.Run;
import io.harmonica.router.Stretch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Chains engines to the steps of one request by their configurations alone: so the export makes
 * ensembles, and so does who knows no more than a running server.
 */
public final class Ensemble {
  private final Map<String, Port> inputs = new LinkedHashMap<>();
  private final Map<String, Port> outputs = new LinkedHashMap<>();
  private final Map<String, Port> made = new HashMap<>();
  private final List<ModelEnsembling.Step.Builder> steps = new ArrayList<>();
  private int maxBatch;
  private final Map<String, Integer> handedOn = new HashMap<>(); // times, by stream

  private Ensemble() {}

  /** An engine and its turn in a step. */
  public record Link(ModelConfig engine, Cut.Turn turn) {}

  /**
   * The steps of a stretch, one or several; with several the sampler's between them.
   *
   * @param model the base model that it becomes a part of
   * @param role what it is there for
   * @param engines in order, of each step
   * @param sampler the engine that makes the next sample; not asked for where there is one step
   * @param branches of the model, whose outputs engines name so
   * @param stretch the steps
   */
  public static ModelConfig of(
      String name,
      String model,
      Role role,
      List<List<Link>> engines,
      Supplier<ModelConfig> sampler,
      List<String> branches,
      Stretch stretch) {
    Ensemble chain = new Ensemble();
    List<String> columns = Run.columns(branches, stretch.runs());
    int steps = stretch.steps();
    int last = steps - 1;
    for (int s = 0; s < steps; s++) {
      int step = s;
      List<Boolean> stored = stretch.route(s).stored();
      Map<String, String> renamed = ofStep(stretch, s, columns);
      UnaryOperator<String> takes = port -> renamed.getOrDefault(port, port);
      chain.addStep(
          engines.get(s),
          takes,
          port -> {
            int column = columns.indexOf(port);
            return column >= 0 && !stored.get(column) ? null : Names.ofStep(port, step, steps);
          });
      if (steps > 1) {
        chain.add(
            sampler.get(),
            takes,
            port ->
                step == last
                    ? port
                    : Names.ofStep(Names.stream(port).orElseThrow(), step + 1, steps));
      }
    }
    for (int s = 0; s < steps; s++) {
      for (int c = 0; c < columns.size(); c++) {
        if (stretch.kept().get(s).get(c)) {
          chain.expose(Names.ofStep(columns.get(c), s, steps));
        }
      }
    }
    chain.expose(Names.ofStep(Names.NOISE_PREDICTION, last, steps));
    if (steps > 1) {
      sampler.get().getOutputList().forEach(port -> chain.expose(port.getName()));
    }
    return chain.config(name, role.parameters(model));
  }

  /**
   * An ensemble of one step over again, without the condition engines: it takes what these make, so
   * a client has it made for many steps at once.
   *
   * @param conditions the engines, whose outputs {@link #areCut}
   */
  public static ModelConfig conditioned(ModelConfig ensemble, List<ModelConfig> conditions) {
    Set<String> names = conditions.stream().map(ModelConfig::getName).collect(Collectors.toSet());
    List<ModelEnsembling.Step> steps =
        ensemble.getEnsembleScheduling().getStepList().stream()
            .filter(step -> !names.contains(step.getModelName()))
            .toList();
    Set<String> read =
        steps.stream()
            .flatMap(step -> step.getInputMapMap().values().stream())
            .collect(Collectors.toSet());
    List<Port> inputs =
        Stream.concat(
                ConfigPorts.inputs(ensemble).stream(),
                conditions.stream().flatMap(engine -> ConfigPorts.outputs(engine).stream()))
            .filter(port -> read.contains(port.name()))
            .toList();
    return ConfigPorts.of(inputs, ConfigPorts.outputs(ensemble))
        .setName(Names.conditioned(ensemble.getName()))
        .setMaxBatchSize(ensemble.getMaxBatchSize())
        .putAllParameters(ensemble.getParametersMap())
        .setPlatform("ensemble")
        .setEnsembleScheduling(ModelEnsembling.newBuilder().addAllStep(steps))
        .build();
  }

  /** The condition engines of a step, by name: what it runs and, conditioned, does not. */
  public static List<String> conditions(ModelConfig ensemble, ModelConfig conditioned) {
    List<String> others =
        conditioned.getEnsembleScheduling().getStepList().stream()
            .map(ModelEnsembling.Step::getModelName)
            .toList();
    return ensemble.getEnsembleScheduling().getStepList().stream()
        .map(ModelEnsembling.Step::getModelName)
        .filter(engine -> !others.contains(engine))
        .toList();
  }

  /** Whether clients cut an engine's outputs to the rows of each step: they read fp32. */
  public static boolean areCut(ModelConfig engine) {
    return ConfigPorts.outputs(engine).stream().allMatch(port -> port.type() == Element.FP32);
  }

  /**
   * Engines one after the other, which hand on a hidden state.
   *
   * @param model the base model that it becomes a part of
   * @param role what it is there for
   * @param outputs those to show, as the engines that make them name them
   */
  public static ModelConfig of(
      String name, String model, Role role, List<ModelConfig> engines, List<String> outputs) {
    Ensemble chain = new Ensemble();
    Cut.Turn own = new Cut.Turn(role, Place.OWN, 0);
    chain.addStep(
        engines.stream().map(engine -> new Link(engine, own)).toList(),
        UnaryOperator.identity(),
        UnaryOperator.identity());
    outputs.forEach(chain::expose);
    return chain.config(name, role.parameters(model));
  }

  /**
   * A model in a chain, by the chain's tensors for its ports.
   *
   * @param inline an ensemble that is no model of the repository: its steps take its place
   * @param rows that it has for each of the chain's
   */
  public record Part(
      ModelConfig model,
      Map<String, String> takes,
      Map<String, String> gives,
      boolean inline,
      int rows) {
    public Part {
      takes = Map.copyOf(takes);
      gives = Map.copyOf(gives);
    }
  }

  /**
   * Models one after the other, of which some make other rows than they take; these have no batch
   * of their own (Triton cuts what another returns more of).
   *
   * @param role what it is there for
   * @param outputs to show; no part reads them
   * @throws HarmonicaException where a part's batch has no room for a single row
   */
  public static ModelConfig chain(
      String name, String model, Role role, List<Part> parts, List<String> outputs) {
    Ensemble chain = new Ensemble();
    int most = Integer.MAX_VALUE;
    for (Part part : parts) {
      int batch = part.model().getMaxBatchSize();
      if (batch > 0 && batch < part.rows()) {
        throw new HarmonicaException(
            "'%s' takes %d rows, and %s needs %d of it: export model %s with `maxBatch` %d or more"
                .formatted(part.model().getName(), batch, name, part.rows(), model, part.rows()));
      }
      most = batch > 0 ? Math.min(most, batch / part.rows()) : most;
      if (part.inline()) {
        chain.addSteps(part);
      } else {
        chain.add(
            part.model(),
            port -> part.takes().getOrDefault(port, port),
            port -> part.gives().get(port));
      }
    }
    outputs.forEach(chain::expose);
    chain.maxBatch = most;
    return chain.config(name, role.parameters(model));
  }

  /** The steps of an ensemble, which is read by its configuration. */
  private void addSteps(Part part) {
    Map<String, String> renamed = new HashMap<>(part.takes());
    renamed.putAll(part.gives());
    for (Port port : ConfigPorts.inputs(part.model())) {
      String tensor = renamed.getOrDefault(port.name(), port.name());
      if (!made.containsKey(tensor)) {
        inputs.put(tensor, port.named(tensor));
      }
    }
    for (ModelEnsembling.Step stated : part.model().getEnsembleScheduling().getStepList()) {
      ModelEnsembling.Step.Builder step = stated.toBuilder();
      stated
          .getInputMapMap()
          .forEach((port, tensor) -> step.putInputMap(port, renamed.getOrDefault(tensor, tensor)));
      stated
          .getOutputMapMap()
          .forEach((port, tensor) -> step.putOutputMap(port, renamed.getOrDefault(tensor, tensor)));
      steps.add(step);
    }
    for (Port port : ConfigPorts.outputs(part.model())) {
      String tensor = renamed.getOrDefault(port.name(), port.name());
      made.put(tensor, port.named(tensor));
    }
  }

  /** What a step of a stretch has of its own, by the name that it has in a single step. */
  private static Map<String, String> ofStep(Stretch stretch, int step, List<String> columns) {
    Map<String, String> renamed = new HashMap<>();
    int steps = stretch.steps();
    for (String handed : List.of(Names.SAMPLE, Names.STATE, Names.START)) {
      renamed.put(handed, step == 0 ? handed : Names.ofStep(handed, step, steps));
    }
    for (String own :
        List.of(Names.TIMESTEP, Names.REUSE_WEIGHTS, Names.NOISE_PREDICTION, Names.UPDATE)) {
      renamed.put(own, Names.ofStep(own, step, steps));
    }
    for (int c = 0; c < columns.size(); c++) {
      String weights = Names.weights(columns.get(c)); // a run's, from outside
      renamed.put(weights, Names.ofStep(weights, step, steps));
      List<Stretch.Source> sources = stretch.reads().get(step).get(c);
      for (int i = 0; i < sources.size(); i++) {
        Stretch.Source source = sources.get(i);
        renamed.put(
            Names.history(columns.get(c), i + 1),
            source.isBefore()
                ? Names.history(columns.get(c), source.age())
                : Names.ofStep(columns.get(c), source.step(), steps));
      }
    }
    return renamed;
  }

  /**
   * Adds the engines of one denoising step.
   *
   * @param takes the tensor behind an input from outside the step, by the engines' name
   * @param gives the tensor that an engine's output becomes; null where nobody reads it
   */
  private void addStep(
      List<Link> engines, UnaryOperator<String> takes, UnaryOperator<String> gives) {
    Map<String, String> own = new HashMap<>(); // tensors between the engines, by the engines' name
    List<Map<String, String>> befores = new ArrayList<>(); // of each engine
    for (Link link : engines) {
      Place place = link.turn().place();
      befores.add(Map.copyOf(own));
      add(
          link.engine(),
          port -> taken(port, place, befores, takes),
          port -> {
            Optional<String> stream = Names.stream(port).map(place::stream);
            String name = stream.orElseGet(() -> place.tensor(port));
            String tensor = stream.map(this::numbered).orElseGet(() -> gives.apply(name));
            if (tensor != null) {
              own.put(name, tensor);
            }
            return tensor;
          });
    }
  }

  /** The tensor that an input takes. */
  private static String taken(
      String port, Place place, List<Map<String, String>> befores, UnaryOperator<String> takes) {
    Optional<String> old = Names.streamBefore(port).map(place::stream);
    if (old.isPresent()) {
      return befores.get(place.since()).get(old.get());
    }
    String name = place.tensor(port);
    String made = befores.get(befores.size() - 1).get(name);
    return made != null ? made : takes.apply(name);
  }

  /** A stream's next tensor: {@code hidden.01}, {@code hidden.02}. */
  private String numbered(String stream) {
    return String.format(Locale.ROOT, "%s.%02d", stream, handedOn.merge(stream, 1, Integer::sum));
  }

  private void add(ModelConfig engine, UnaryOperator<String> takes, UnaryOperator<String> gives) {
    int most = engine.getMaxBatchSize();
    maxBatch = steps.isEmpty() ? most : Math.min(maxBatch, most);
    boolean batched = most > 0;
    ModelEnsembling.Step.Builder step =
        ModelEnsembling.Step.newBuilder().setModelName(engine.getName()).setModelVersion(-1);
    for (Port port : ConfigPorts.inputs(engine)) {
      String tensor = takes.apply(port.name());
      step.putInputMap(port.name(), tensor);
      if (!made.containsKey(tensor)) {
        inputs.put(tensor, (batched ? port : port.ofRow()).named(tensor));
      }
    }
    for (Port port : ConfigPorts.outputs(engine)) {
      String tensor = gives.apply(port.name());
      if (tensor != null) {
        made.put(tensor, (batched ? port : port.ofRow()).named(tensor));
        step.putOutputMap(port.name(), tensor);
      }
    }
    steps.add(step);
  }

  private void expose(String tensor) {
    outputs.put(tensor, made.get(tensor));
  }

  private ModelConfig config(String name, Map<String, ModelParameter> parameters) {
    return ConfigPorts.of(inputs.values(), outputs.values())
        .setName(name)
        .setMaxBatchSize(maxBatch)
        .putAllParameters(parameters)
        .setPlatform("ensemble")
        .setEnsembleScheduling(withoutUnread())
        .build();
  }

  /** Triton refuses tensors that no step reads: the caption's, where all blocks reuse theirs. */
  private ModelEnsembling.Builder withoutUnread() {
    Set<String> read = new HashSet<>(outputs.keySet());
    steps.forEach(step -> read.addAll(step.getInputMapMap().values()));
    ModelEnsembling.Builder ensemble = ModelEnsembling.newBuilder();
    for (ModelEnsembling.Step.Builder step : steps) {
      Map.copyOf(step.getOutputMapMap())
          .forEach(
              (port, tensor) -> {
                if (!read.contains(tensor)) {
                  step.removeOutputMap(port);
                }
              });
      ensemble.addStep(step);
    }
    return ensemble;
  }
}
