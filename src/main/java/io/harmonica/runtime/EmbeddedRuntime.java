package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.repository.proto.ModelParameter;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;

/**
 * Runs a model repository in this process on ONNX Runtime: a small interpreter of the same
 * configurations that Triton reads. Ensembles hand tensors on without copying them.
 *
 * <p>Owns its engines, which load when first used; {@link #close} ends them.
 *
 * <p>Names no class of ONNX Runtime, so that it can say where that is missing.
 */
public final class EmbeddedRuntime implements Runtime {
  private final Path repository;
  private final Map<String, ModelConfig> configs = new ConcurrentHashMap<>();
  private final Map<String, OnnxEngine> engines = new ConcurrentHashMap<>();
  private final Map<String, EngineClock> clocks = new ConcurrentHashMap<>();
  private final ReadWriteLock lifetime = new ReentrantReadWriteLock(); // read: an inference runs
  private boolean closed;

  private EmbeddedRuntime(Path repository) {
    this.repository = repository;
  }

  /**
   * Opens a repository.
   *
   * @throws HarmonicaException if it is no folder, or ONNX Runtime is not on the class path
   */
  public static EmbeddedRuntime open(Path repository) {
    Library.ONNX_RUNTIME.require();
    if (!Files.isDirectory(repository)) {
      throw new HarmonicaException(
          "no model repository at %s: write one with harmonica-export".formatted(repository));
    }
    return new EmbeddedRuntime(repository);
  }

  /** What computes, with its version. */
  public static String version() {
    return "ONNX Runtime " + OnnxEnvironment.get().getVersion();
  }

  @Override
  public String description() {
    return version();
  }

  @Override
  public ModelConfig config(String model) {
    return configs.computeIfAbsent(
        model,
        name -> {
          if (!Files.exists(repository.resolve(name).resolve(ConfigFile.NAME))) {
            throw Signature.unknownModel("model repository " + repository, name, models());
          }
          return ConfigFile.read(repository.resolve(name));
        });
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return EmbeddedTensor.of(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return EmbeddedTensor.of(values, shape);
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    ModelConfig config = config(model);
    Map<String, Tensor> outer = new HashMap<>(inputs);
    config
        .getEnsembleScheduling()
        .getStepList()
        .forEach(step -> outer.keySet().removeAll(step.getOutputMapMap().values()));
    Signature.check(config, outer, outputs);
    inputs.forEach(EmbeddedRuntime::checkOwn);
    lifetime.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("runtime is closed");
      }
      return run(config, inputs, outputs);
    } finally {
      lifetime.readLock().unlock();
    }
  }

  @Override
  public boolean acceptsIntermediates() {
    return true;
  }

  private static void checkOwn(String name, Tensor tensor) {
    if (!(tensor instanceof EmbeddedTensor)) {
      throw new IllegalArgumentException("input '" + name + "' is a tensor of another runtime");
    }
  }

  private Map<String, Tensor> run(
      ModelConfig config, Map<String, Tensor> inputs, Set<String> outputs) {
    return config.hasEnsembleScheduling()
        ? runEnsemble(config, inputs, outputs)
        : runEngine(config, inputs, outputs);
  }

  private Map<String, Tensor> runEnsemble(
      ModelConfig config, Map<String, Tensor> inputs, Set<String> outputs) {
    List<ModelEnsembling.Step> steps = config.getEnsembleScheduling().getStepList();
    Map<String, Integer> readers = new HashMap<>();
    steps.forEach(
        step ->
            step.getInputMapMap().values().forEach(name -> readers.merge(name, 1, Integer::sum)));
    Map<String, Tensor> made = new HashMap<>(); // what this call owns
    try {
      for (ModelEnsembling.Step step : steps) {
        if (inputs.keySet().containsAll(step.getOutputMapMap().values())) {
          continue; // all that it would make is there
        }
        Map<String, Tensor> stepInputs = new HashMap<>();
        step.getInputMapMap()
            .forEach(
                (own, name) ->
                    stepInputs.put(
                        own, inputs.containsKey(name) ? inputs.get(name) : made.get(name)));
        run(engine(config, step.getModelName()), stepInputs, step.getOutputMapMap().keySet())
            .forEach((own, tensor) -> made.put(step.getOutputMapOrThrow(own), tensor));
        for (String name : step.getInputMapMap().values()) {
          boolean read = readers.merge(name, -1, Integer::sum) == 0;
          if (read && made.containsKey(name) && !outputs.contains(name)) {
            made.remove(name).close();
          }
        }
      }
      Map<String, Tensor> results = new LinkedHashMap<>();
      outputs.forEach(name -> results.put(name, made.remove(name)));
      return results;
    } finally {
      made.values().forEach(Tensor::close);
    }
  }

  /** An engine that an ensemble names: where it is missing, nobody meant another. */
  private ModelConfig engine(ModelConfig ensemble, String name) {
    if (!configs.containsKey(name)
        && !Files.exists(repository.resolve(name).resolve(ConfigFile.NAME))) {
      throw new HarmonicaException(
          "model repository %s lacks engine '%s', which model '%s' runs: export the model again with --force"
              .formatted(repository, name, ensemble.getName()));
    }
    return config(name);
  }

  private Map<String, Tensor> runEngine(
      ModelConfig config, Map<String, Tensor> inputs, Set<String> outputs) {
    OnnxEngine engine = loaded(config.getName());
    long start = System.nanoTime();
    Map<String, Tensor> made = engine.run(inputs, outputs);
    clocks.computeIfAbsent(config.getName(), name -> new EngineClock()).add(start);
    return made;
  }

  /** Calls of one engine and the time in them. */
  private record EngineClock(LongAdder calls, LongAdder nanos) {
    EngineClock() {
      this(new LongAdder(), new LongAdder());
    }

    void add(long start) {
      nanos.add(System.nanoTime() - start);
      calls.increment();
    }
  }

  /** Engines only: an ensemble's time is its caller's to take. */
  @Override
  public Statistics statistics() {
    Map<String, Statistics.Model> models = new HashMap<>();
    clocks.forEach(
        (name, clock) -> {
          long nanos = clock.nanos().sum();
          models.put(name, new Statistics.Model(clock.calls().sum(), nanos, 0, nanos));
        });
    return new Statistics(models, Traffic.NONE);
  }

  private OnnxEngine loaded(String model) {
    return engines.computeIfAbsent(
        model,
        name -> {
          Path file = repository.resolve(name).resolve("1").resolve("model.onnx");
          if (!Files.exists(file)) {
            throw new HarmonicaException(
                "model '%s' has no %s: export it again".formatted(name, file));
          }
          boolean keepsMemory =
              !config(name)
                  .getParametersOrDefault(Names.MEMORY_ARENA, ModelParameter.getDefaultInstance())
                  .getStringValue()
                  .equals("0");
          return OnnxEngine.load(name, file, keepsMemory);
        });
  }

  private List<String> models() {
    try (Stream<Path> folders = Files.list(repository)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve(ConfigFile.NAME)))
          .map(folder -> folder.getFileName().toString())
          .toList();
    } catch (IOException e) {
      throw new HarmonicaException("cannot list %s: %s".formatted(repository, e), e);
    }
  }

  /** Waits for inferences that run. */
  @Override
  public void close() {
    lifetime.writeLock().lock();
    try {
      closed = true;
      engines.values().forEach(OnnxEngine::close);
      engines.clear();
    } finally {
      lifetime.writeLock().unlock();
    }
  }
}
