package io.harmonica.generate;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.Timesteps;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Names;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * Runs the condition engines once for many steps of a trajectory, and hands each step its rows. A
 * third of a DiT's weights are there: so they are read once, and not at each step.
 */
final class Ahead {
  private final Runtime runtime;
  private final List<ModelConfig> engines;
  private final Map<String, Port> ports; // of their outputs
  private final Timesteps timesteps;
  private final TimestepInput times;
  private final IntFunction<Map<String, Tensor>> conditions;
  private final int batch;
  private final Map<String, FloatBuffer> made = new HashMap<>(); // (steps x batch, ...)
  private int first;
  private int end; // steps from first to here, not inclusive, are made

  private Ahead(
      Runtime runtime,
      List<ModelConfig> engines,
      Timesteps timesteps,
      IntFunction<Map<String, Tensor>> conditions,
      int batch) {
    this.runtime = runtime;
    this.engines = engines;
    this.ports =
        engines.stream()
            .flatMap(engine -> ConfigPorts.outputs(engine).stream())
            .collect(Collectors.toMap(Port::name, port -> port));
    this.timesteps = timesteps;
    this.times = TimestepInput.of(runtime, engines.get(0), timesteps);
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
    if (!runtime.acceptsIntermediates()) {
      return Optional.empty();
    }
    List<ModelConfig> engines =
        runtime.config(model).getEnsembleScheduling().getStepList().stream()
            .map(step -> runtime.config(step.getModelName()))
            .filter(Ahead::isOfConditions)
            .toList();
    boolean useful =
        engines.stream()
            .allMatch(
                engine ->
                    engine.getMaxBatchSize() >= 2 * batch
                        && ConfigPorts.outputs(engine).stream()
                            .allMatch(port -> port.type() == Element.FP32));
    return useful && !engines.isEmpty()
        ? Optional.of(new Ahead(runtime, engines, timesteps, conditions, batch))
        : Optional.empty();
  }

  private static boolean isOfConditions(ModelConfig engine) {
    return Role.of(engine).filter(role -> role.kind() == Role.Kind.CONDITION).isPresent();
  }

  /** Sees to it that a step's is there. */
  void prepare(int step) {
    if (step >= first && step < end) {
      return;
    }
    int most = engines.stream().mapToInt(ModelConfig::getMaxBatchSize).min().orElseThrow();
    int steps = Math.min(most / batch, timesteps.size() - step);
    Map<String, Tensor> inputs = new HashMap<>(conditions.apply(steps));
    try {
      inputs.put(Names.TIMESTEP, times.tensor(step, steps, batch));
      engines.forEach(engine -> run(engine, inputs));
      first = step;
      end = step + steps;
    } finally {
      inputs.values().forEach(Tensor::close);
    }
  }

  private void run(ModelConfig engine, Map<String, Tensor> inputs) {
    Set<String> given = names(ConfigPorts.outputs(engine));
    Map<String, Tensor> taken = new HashMap<>(inputs);
    taken.keySet().retainAll(names(ConfigPorts.inputs(engine)));
    Map<String, Tensor> outputs = runtime.infer(engine.getName(), taken, given);
    try {
      outputs.forEach((name, tensor) -> made.put(name, tensor.floats()));
    } finally {
      outputs.values().forEach(Tensor::close);
    }
  }

  private static Set<String> names(List<Port> ports) {
    return ports.stream().map(Port::name).collect(Collectors.toSet());
  }

  /** What an ensemble need not make at a step, by the names that it has there; the caller's. */
  Map<String, Tensor> inputs(String ensemble, int step) {
    Set<String> names = engines.stream().map(ModelConfig::getName).collect(Collectors.toSet());
    Map<String, Tensor> inputs = new HashMap<>();
    for (ModelEnsembling.Step part :
        runtime.config(ensemble).getEnsembleScheduling().getStepList()) {
      if (names.contains(part.getModelName())) {
        part.getOutputMapMap()
            .forEach((port, name) -> inputs.put(name, rows(ports.get(port), step)));
      }
    }
    return inputs;
  }

  private Tensor rows(Port port, int step) {
    int size = Math.toIntExact(batch * port.elements());
    return runtime.tensor(
        made.get(port.name()).slice((step - first) * size, size), port.batched(batch));
  }
}
