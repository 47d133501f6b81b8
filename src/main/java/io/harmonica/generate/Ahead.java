package io.harmonica.generate;

import io.harmonica.Port;
import io.harmonica.Timesteps;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Ensemble;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs the condition engines, mostly one, once for many steps of a trajectory, and hands each step
 * its rows. A third of a DiT's weights are in them: so they are read once, and not at each step.
 */
final class Ahead {
  private final Runtime runtime;
  private final Function<String, ModelConfig> configs;
  private final List<Part> parts;
  private final Timesteps timesteps;
  private final TimestepInput times;
  private final Conditions conditions;
  private final int batch;

  private Ahead(
      Runtime runtime,
      Function<String, ModelConfig> configs,
      List<ModelConfig> engines,
      TimestepInput times,
      Conditions conditions,
      int batch) {
    this.runtime = runtime;
    this.configs = configs;
    this.parts = engines.stream().map(Part::new).toList();
    this.timesteps = times.timesteps();
    this.times = times;
    this.conditions = conditions;
    this.batch = batch;
  }

  /**
   * Of a trajectory that goes step by step; empty where the model has no ensembles that take what
   * was made ahead, or its engines take no more than a step's batch. It is large: a server that
   * shares no memory makes it at each step.
   *
   * @param configs of models
   * @param conditions makes what to draw
   * @param batch rows of a step
   */
  static Optional<Ahead> of(
      Runtime runtime,
      Admitted admitted,
      Function<String, ModelConfig> configs,
      Conditions conditions,
      int batch) {
    if (!isTaken(runtime, admitted)) {
      return Optional.empty();
    }
    String model = admitted.manifest().model();
    List<ModelConfig> engines =
        Ensemble.conditions(configs.apply(model), configs.apply(Names.conditioned(model))).stream()
            .map(configs)
            .toList();
    TimestepInput times =
        new TimestepInput(runtime, admitted.wholeTimesteps(), admitted.sampler().timesteps());
    return engines.stream().allMatch(engine -> engine.getMaxBatchSize() >= 2 * batch)
        ? Optional.of(new Ahead(runtime, configs, engines, times, conditions, batch))
        : Optional.empty();
  }

  /** Whether calls of a trajectory take what was made ahead. */
  static boolean isTaken(Runtime runtime, Admitted admitted) {
    return admitted.manifest().conditioned()
        && runtime.sharesMemory()
        && admitted.program().calls().stream().noneMatch(call -> call.isStretch());
  }

  /** An engine, and the rows that it made last. */
  private final class Part {
    private final ModelConfig engine;
    private final Map<String, Port> outputs;
    private final Map<String, FloatBuffer> made = new HashMap<>(); // (steps x batch, ...)
    private int first;
    private int end; // steps from first to here, not inclusive, are made

    Part(ModelConfig engine) {
      this.engine = engine;
      this.outputs =
          ConfigPorts.outputs(engine).stream().collect(Collectors.toMap(Port::name, port -> port));
    }

    boolean has(int step) {
      return step >= first && step < end;
    }

    /** Steps that one call makes it for, where so many are left. */
    int most() {
      return Math.min(engine.getMaxBatchSize() / batch, timesteps.size());
    }

    Stream<Sized> ports() {
      return Stream.concat(ConfigPorts.inputs(engine).stream(), outputs.values().stream())
          .map(port -> new Sized(port, most() * batch));
    }

    Calls.Call call(int index, int step) {
      int steps = Math.min(most(), timesteps.size() - step);
      Set<String> taken = inputs(engine);
      Map<String, Tensor> own =
          Inputs.of(
              all -> {
                all.putAll(conditions.of(steps, taken::contains));
                if (taken.contains(Names.TIMESTEP)) {
                  all.put(Names.TIMESTEP, times.tensor(step, steps, batch));
                }
              });
      return new Calls.Call(
          index,
          engine.getName(),
          own,
          own,
          outputs.keySet(),
          Optional.of(results -> take(results, step, steps)));
    }

    private void take(Map<String, Tensor> results, int from, int steps) {
      results.forEach(
          (name, tensor) -> {
            try (tensor) {
              FloatBuffer values = tensor.floats();
              made.put(name, FloatBuffer.allocate(values.remaining()).put(values).flip());
            }
          });
      first = from;
      end = from + steps;
    }

    /** Some rows of a step. */
    Tensor rows(String output, int step, int from, int count) {
      Port port = outputs.get(output);
      int size = Math.toIntExact(port.elements());
      int start = ((step - first) * batch + from) * size;
      return runtime.tensor(made.get(output).slice(start, count * size), port.batched(count));
    }
  }

  /** A tensor that its calls take or make, in at most so many rows. */
  record Sized(Port port, int rows) {}

  /** What its calls take and make; several may take the same, the largest comes first. */
  Stream<Sized> ports() {
    return parts.stream().sorted(Comparator.comparing(Part::most).reversed()).flatMap(Part::ports);
  }

  /** The call that makes what a step takes, or some of it; empty where all is there. */
  Optional<Calls.Call> call(int index, int step) {
    return parts.stream()
        .filter(part -> !part.has(step))
        .findFirst()
        .map(part -> part.call(index, step));
  }

  /** What the ensemble of a step takes, made ahead or not. */
  Set<String> inputs(String model) {
    return inputs(configs.apply(model));
  }

  private static Set<String> inputs(ModelConfig config) {
    return ConfigPorts.inputs(config).stream().map(Port::name).collect(Collectors.toSet());
  }

  /** All rows of a step that its ensemble takes; the caller's. */
  Map<String, Tensor> rows(String model, int step) {
    return rows(model, step, 0, batch);
  }

  /** So many of its rows, from one on. */
  Map<String, Tensor> rows(String model, int step, int from, int count) {
    Set<String> taken = inputs(model);
    return Inputs.of(
        rows ->
            parts.forEach(
                part ->
                    part.outputs.keySet().stream()
                        .filter(taken::contains)
                        .forEach(name -> rows.put(name, part.rows(name, step, from, count)))));
  }
}
