package io.harmonica.generate;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.Timesteps;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Runs the condition engine once for many steps of a trajectory, and hands each step its rows. A
 * third of a DiT's weights are in that engine: so they are read once, and not at each step.
 */
final class Ahead {
  private final Runtime runtime;
  private final ModelConfig engine;
  private final Map<String, Port> ports; // of its outputs
  private final Timesteps timesteps;
  private final TimestepInput times;
  private final IntFunction<Map<String, Tensor>> conditions;
  private final int batch;
  private final Map<String, FloatBuffer> made = new HashMap<>(); // (steps x batch, ...)
  private int first;
  private int end; // steps from first to here, not inclusive, are made

  private Ahead(
      Runtime runtime,
      ModelConfig engine,
      Timesteps timesteps,
      IntFunction<Map<String, Tensor>> conditions,
      int batch) {
    this.runtime = runtime;
    this.engine = engine;
    this.ports =
        ConfigPorts.outputs(engine).stream().collect(Collectors.toMap(Port::name, port -> port));
    this.timesteps = timesteps;
    this.times = TimestepInput.of(runtime, engine, timesteps);
    this.conditions = conditions;
    this.batch = batch;
  }

  /**
   * Of a trajectory; empty where the runtime takes nothing that was made ahead, the model has no
   * engine for it, or that takes no more than a step's batch.
   *
   * @param conditions makes what to draw, so many times one after the other
   * @param batch rows of a step
   */
  static Optional<Ahead> of(
      Runtime runtime,
      String model,
      Timesteps timesteps,
      IntFunction<Map<String, Tensor>> conditions,
      int batch) {
    if (!runtime.acceptsIntermediates()
        || step(runtime.config(model), Names.condition(model)).isEmpty()) {
      return Optional.empty();
    }
    ModelConfig engine = runtime.config(Names.condition(model));
    boolean readable =
        ConfigPorts.outputs(engine).stream().allMatch(port -> port.type() == Element.FP32);
    return readable && engine.getMaxBatchSize() >= 2 * batch
        ? Optional.of(new Ahead(runtime, engine, timesteps, conditions, batch))
        : Optional.empty();
  }

  private static Optional<ModelEnsembling.Step> step(ModelConfig ensemble, String engine) {
    return ensemble.getEnsembleScheduling().getStepList().stream()
        .filter(step -> step.getModelName().equals(engine))
        .findFirst();
  }

  /** Sees to it that a step's is there. */
  void prepare(int step) {
    if (step >= first && step < end) {
      return;
    }
    int steps = Math.min(engine.getMaxBatchSize() / batch, timesteps.size() - step);
    Map<String, Tensor> inputs = new HashMap<>(conditions.apply(steps));
    Map<String, Tensor> outputs = Map.of();
    try {
      inputs.put(Names.TIMESTEP, times.tensor(step, steps, batch));
      outputs = runtime.infer(engine.getName(), inputs, ports.keySet());
      outputs.forEach((name, tensor) -> made.put(name, tensor.floats()));
      first = step;
      end = step + steps;
    } finally {
      inputs.values().forEach(Tensor::close);
      outputs.values().forEach(Tensor::close);
    }
  }

  /** What an ensemble need not make at a step, by the names that it has there; the caller's. */
  Map<String, Tensor> inputs(String ensemble, int step) {
    Map<String, Tensor> inputs = new HashMap<>();
    step(runtime.config(ensemble), engine.getName())
        .orElseThrow()
        .getOutputMapMap()
        .forEach((port, name) -> inputs.put(name, rows(ports.get(port), step)));
    return inputs;
  }

  private Tensor rows(Port port, int step) {
    int size = Math.toIntExact(batch * port.elements());
    return runtime.tensor(
        made.get(port.name()).slice((step - first) * size, size), port.batched(batch));
  }
}
