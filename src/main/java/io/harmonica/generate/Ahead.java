package io.harmonica.generate;

import io.harmonica.Port;
import io.harmonica.Timesteps;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs the condition engine once for many steps of a trajectory, and hands each step its rows. A
 * third of a DiT's weights are in that engine: so they are read once, and not at each step.
 */
final class Ahead {
  private final Runtime runtime;
  private final Function<String, ModelConfig> configs;
  private final ModelConfig engine;
  private final Map<String, Port> outputs; // of the engine
  private final Timesteps timesteps;
  private final TimestepInput times;
  private final IntFunction<Map<String, Tensor>> conditions;
  private final int batch;
  private final Map<String, FloatBuffer> made = new HashMap<>(); // (steps x batch, ...)
  private int first;
  private int end; // steps from first to here, not inclusive, are made

  private Ahead(
      Runtime runtime,
      Function<String, ModelConfig> configs,
      ModelConfig engine,
      Timesteps timesteps,
      IntFunction<Map<String, Tensor>> conditions,
      int batch) {
    this.runtime = runtime;
    this.configs = configs;
    this.engine = engine;
    this.outputs =
        ConfigPorts.outputs(engine).stream().collect(Collectors.toMap(Port::name, port -> port));
    this.timesteps = timesteps;
    this.times = TimestepInput.of(runtime, engine, timesteps);
    this.conditions = conditions;
    this.batch = batch;
  }

  /**
   * Of a trajectory that goes step by step; empty where the model has no ensembles that take what
   * was made ahead, or its engine takes no more than a step's batch. It is large: a server that
   * shares no memory makes it at each step.
   *
   * @param configs of models
   * @param conditions makes what to draw, so many times one after the other
   * @param batch rows of a step
   */
  static Optional<Ahead> of(
      Runtime runtime,
      Manifest manifest,
      Function<String, ModelConfig> configs,
      Timesteps timesteps,
      IntFunction<Map<String, Tensor>> conditions,
      int batch) {
    if (!isTaken(runtime, manifest)) {
      return Optional.empty();
    }
    ModelConfig engine = configs.apply(Names.condition(manifest.model()));
    return engine.getMaxBatchSize() >= 2 * batch
        ? Optional.of(new Ahead(runtime, configs, engine, timesteps, conditions, batch))
        : Optional.empty();
  }

  /** Whether calls of a model take what was made ahead. */
  static boolean isTaken(Runtime runtime, Manifest manifest) {
    return manifest.conditioned() && runtime.sharesMemory();
  }

  /** Steps that one call makes it for, where so many are left. */
  private int most() {
    return Math.min(engine.getMaxBatchSize() / batch, timesteps.size());
  }

  /** What a call takes and makes. */
  Stream<Port> ports() {
    return Stream.concat(ConfigPorts.inputs(engine).stream(), outputs.values().stream());
  }

  /** The rows of a call. */
  int rows() {
    return most() * batch;
  }

  /** Whether it was made for a step. */
  boolean has(int step) {
    return step >= first && step < end;
  }

  /**
   * Makes it, from a step on.
   *
   * @param index of that step's call
   */
  Calls.Call call(int index, int step) {
    first = step;
    end = step + Math.min(most(), timesteps.size() - step);
    Map<String, Tensor> own = new HashMap<>(conditions.apply(end - first));
    own.put(Names.TIMESTEP, times.tensor(first, end - first, batch));
    Map<String, Tensor> inputs = new HashMap<>(own);
    inputs.keySet().retainAll(inputs(engine));
    return new Calls.Call(index, engine.getName(), true, own, inputs, outputs.keySet());
  }

  /** Takes what a call made. */
  void take(Map<String, Tensor> outputs) {
    outputs.forEach(
        (name, tensor) -> {
          try (tensor) {
            FloatBuffer values = tensor.floats();
            made.put(name, FloatBuffer.allocate(values.remaining()).put(values).flip());
          }
        });
  }

  /** What the ensemble of a step takes, made ahead or not. */
  Set<String> inputs(String model) {
    return inputs(configs.apply(model));
  }

  private static Set<String> inputs(ModelConfig config) {
    return ConfigPorts.inputs(config).stream().map(Port::name).collect(Collectors.toSet());
  }

  /** A step's rows of what its ensemble takes; the caller's. */
  Map<String, Tensor> rows(String model, int step) {
    Map<String, Tensor> rows = new HashMap<>();
    for (String input : inputs(model)) {
      if (made.containsKey(input)) {
        rows.put(input, rows(outputs.get(input), step));
      }
    }
    return rows;
  }

  private Tensor rows(Port port, int step) {
    int size = Math.toIntExact(batch * port.elements());
    return runtime.tensor(
        made.get(port.name()).slice((step - first) * size, size), port.batched(batch));
  }
}
