package io.harmonica.runtime;

import io.harmonica.repository.proto.ModelConfig;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Map;
import java.util.Set;

/** Asks another runtime, for a test that changes or notes some of it. It owns the other. */
public abstract class ForwardingRuntime implements Runtime {
  protected final Runtime runtime;

  protected ForwardingRuntime(Runtime runtime) {
    this.runtime = runtime;
  }

  @Override
  public ModelConfig config(String model) {
    return runtime.config(model);
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return runtime.tensor(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return runtime.tensor(values, shape);
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return runtime.infer(model, inputs, outputs);
  }

  @Override
  public void close() {
    runtime.close();
  }
}
