package io.harmonica.generate;

import io.harmonica.Element;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.ForwardingRuntime;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A real runtime whose handles are counted, and which notes what it is asked to run. */
final class CountingRuntime extends ForwardingRuntime {
  private final Set<Tensor> open = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Integer> openAtCall = new ArrayList<>();
  private final List<String> models = new ArrayList<>();
  private int configs;
  private boolean closed;

  CountingRuntime(Runtime runtime) {
    super(runtime);
  }

  /** Handles that nobody closed yet. */
  int open() {
    return open.size();
  }

  /** Handles open when each call began, its inputs among them. */
  List<Integer> openAtCall() {
    return openAtCall;
  }

  List<String> models() {
    return models;
  }

  boolean closed() {
    return closed;
  }

  /** How often a configuration was asked for. */
  int configs() {
    return configs;
  }

  @Override
  public ModelConfig config(String model) {
    configs++;
    return super.config(model);
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return new Counted(runtime.tensor(values, shape));
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return new Counted(runtime.tensor(values, shape));
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    models.add(model);
    openAtCall.add(open.size());
    Map<String, Tensor> own = new LinkedHashMap<>();
    inputs.forEach((name, tensor) -> own.put(name, ((Counted) tensor).tensor));
    Map<String, Tensor> results = new LinkedHashMap<>();
    runtime
        .infer(model, own, outputs)
        .forEach((name, tensor) -> results.put(name, new Counted(tensor)));
    return results;
  }

  @Override
  public void close() {
    closed = true;
    super.close();
  }

  private final class Counted implements Tensor {
    private final Tensor tensor;

    Counted(Tensor tensor) {
      this.tensor = tensor;
      open.add(this);
    }

    @Override
    public Element type() {
      return tensor.type();
    }

    @Override
    public long[] shape() {
      return tensor.shape();
    }

    @Override
    public FloatBuffer floats() {
      return tensor.floats();
    }

    @Override
    public long sizeBytes() {
      return tensor.sizeBytes();
    }

    @Override
    public void close() {
      open.remove(this);
      tensor.close();
    }
  }
}
