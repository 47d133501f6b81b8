package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.Library;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.proto.ModelConfig;
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
 * Runs a model repository in this process: a small interpreter of the same configurations that
 * Triton reads, over a {@link Backend} that runs the engines. Ensembles hand tensors on without
 * copying them.
 *
 * <p>Owns its engines, which load when first used; {@link #close} ends them.
 *
 * <p>Names no class of ONNX Runtime, so that its backend can say where that is missing.
 */
public final class EmbeddedRuntime implements Runtime {
  private final Path repository;
  private final Backend backend;
  private final Map<String, EmbeddedModel> models = new ConcurrentHashMap<>();
  private final Map<String, Backend.Loaded> engines = new ConcurrentHashMap<>();
  private final Map<String, EngineClock> clocks = new ConcurrentHashMap<>();
  private final ReadWriteLock lifetime = new ReentrantReadWriteLock(); // read: an inference runs
  private boolean closed;

  private EmbeddedRuntime(Path repository, Backend backend) {
    this.repository = repository;
    this.backend = backend;
  }

  /**
   * Opens a repository for ONNX Runtime on the CPU.
   *
   * @throws HarmonicaException if it is no folder, or ONNX Runtime is not on the class path
   */
  public static EmbeddedRuntime open(Path repository) {
    return open(repository, Backend.cpu());
  }

  /**
   * Says how many threads compute in this process, in one pool that all its models share; without
   * it one for each processor. To be called before the first model is opened.
   *
   * @throws HarmonicaException if the pool has another number already, or ONNX Runtime is not on
   *     the class path
   */
  public static void useThreads(int count) {
    if (count < 1) {
      throw new InvalidProperty("threads", count + " must be at least 1");
    }
    Library.ONNX_RUNTIME.require();
    OnnxEnvironment.useThreads(count);
  }

  /**
   * Opens a repository.
   *
   * @throws HarmonicaException if it is no folder
   */
  public static EmbeddedRuntime open(Path repository, Backend backend) {
    if (!Files.isDirectory(repository)) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          "no model repository at %s: write one with harmonica-export".formatted(repository));
    }
    return new EmbeddedRuntime(repository, backend);
  }

  @Override
  public String description() {
    return backend.description();
  }

  @Override
  public ModelConfig config(String model) {
    return model(model).config();
  }

  private EmbeddedModel model(String model) {
    return models.computeIfAbsent(
        model,
        name -> {
          if (!Files.exists(repository.resolve(name).resolve(ConfigFile.NAME))) {
            throw Signature.unknownModel("model repository " + repository, name, names());
          }
          return EmbeddedModel.of(ConfigFile.read(repository.resolve(name)));
        });
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return backend.tensor(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return backend.tensor(values, shape);
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    EmbeddedModel called = model(model);
    Signature.check(called.config(), inputs, outputs);
    inputs.forEach(this::requireOwn);
    lifetime.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("runtime is closed");
      }
      return run(called, inputs, outputs);
    } finally {
      lifetime.readLock().unlock();
    }
  }

  @Override
  public boolean sharesMemory() {
    return true;
  }

  private void requireOwn(String name, Tensor tensor) {
    if (!backend.reads(tensor)) {
      throw new IllegalArgumentException("input '" + name + "' is a tensor of another runtime");
    }
  }

  private Map<String, Tensor> run(
      EmbeddedModel model, Map<String, Tensor> inputs, Set<String> outputs) {
    return model.isEnsemble()
        ? runEnsemble(model, inputs, outputs)
        : runEngine(model, inputs, outputs);
  }

  private Map<String, Tensor> runEnsemble(
      EmbeddedModel ensemble, Map<String, Tensor> inputs, Set<String> outputs) {
    Map<String, Tensor> made = new HashMap<>(); // what this call owns
    try {
      for (EmbeddedModel.Turn step : ensemble.steps()) {
        Map<String, Tensor> stepInputs = new HashMap<>();
        step.inputs()
            .forEach(
                (own, name) ->
                    stepInputs.put(
                        own, inputs.containsKey(name) ? inputs.get(name) : made.get(name)));
        run(engine(ensemble, step.model()), stepInputs, step.outputs().keySet())
            .forEach((own, tensor) -> made.put(step.outputs().get(own), tensor));
        for (String name : step.last()) {
          if (made.containsKey(name) && !outputs.contains(name)) {
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
  private EmbeddedModel engine(EmbeddedModel ensemble, String name) {
    if (!models.containsKey(name)
        && !Files.exists(repository.resolve(name).resolve(ConfigFile.NAME))) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "model repository %s lacks engine '%s', which model '%s' runs: export the model again with `force`"
              .formatted(repository, name, ensemble.name()));
    }
    return model(name);
  }

  private Map<String, Tensor> runEngine(
      EmbeddedModel model, Map<String, Tensor> inputs, Set<String> outputs) {
    Backend.Loaded engine =
        engines.computeIfAbsent(
            model.name(), name -> backend.load(repository.resolve(name), model.config()));
    long start = System.nanoTime();
    Map<String, Tensor> tensors = engine.run(inputs, outputs);
    clocks.computeIfAbsent(model.name(), name -> new EngineClock()).add(start);
    return tensors;
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

  private List<String> names() {
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
      engines.values().forEach(Backend.Loaded::close);
      engines.clear();
    } finally {
      lifetime.writeLock().unlock();
    }
  }
}
