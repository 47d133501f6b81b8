package io.harmonica.runtime;

import io.harmonica.repository.proto.ModelConfig;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Another backend, and what its engines hold: at each run, which tensors of earlier runs live. */
final class WatchedBackend implements Backend {
  private final Backend backend;
  private final Map<String, Tensor> made = new LinkedHashMap<>(); // by engine and output
  final List<Set<String>> alive = new ArrayList<>(); // before each run
  final List<String> loaded = new ArrayList<>();
  final List<String> closed = new ArrayList<>();

  WatchedBackend(Backend backend) {
    this.backend = backend;
  }

  Set<String> alive() {
    made.values().removeIf(WatchedBackend::isClosed);
    return Set.copyOf(made.keySet());
  }

  private static boolean isClosed(Tensor tensor) {
    try {
      tensor.floats();
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  @Override
  public String description() {
    return "watched " + backend.description();
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
  public boolean reads(Tensor tensor) {
    return backend.reads(tensor);
  }

  @Override
  public Loaded load(Path folder, ModelConfig config) {
    loaded.add(config.getName());
    return new Watched(config.getName(), backend.load(folder, config));
  }

  private final class Watched implements Loaded {
    private final String name;
    private final Loaded engine;

    Watched(String name, Loaded engine) {
      this.name = name;
      this.engine = engine;
    }

    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Set<String> outputs) {
      alive.add(alive());
      Map<String, Tensor> results = engine.run(inputs, outputs);
      results.forEach(
          (output, tensor) -> made.put(alive.size() + " " + name + " " + output, tensor));
      return results;
    }

    @Override
    public void close() {
      closed.add(name);
      engine.close();
    }
  }
}
