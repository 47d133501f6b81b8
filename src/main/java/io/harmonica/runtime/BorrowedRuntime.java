package io.harmonica.runtime;

import io.harmonica.repository.proto.ModelConfig;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** A runtime for somebody who is to close something, but not the runtime itself. */
record BorrowedRuntime(Runtime runtime) implements Runtime {
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
  public boolean takesMade() {
    return runtime.takesMade();
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> inferAsync(
      String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return runtime.inferAsync(model, inputs, outputs);
  }

  @Override
  public Runtime trajectory(Supplier<Plan> plan) {
    return runtime.trajectory(plan);
  }

  @Override
  public long roundTripNanos() {
    return runtime.roundTripNanos();
  }

  @Override
  public String description() {
    return runtime.description();
  }

  @Override
  public Statistics statistics() {
    return runtime.statistics();
  }

  @Override
  public Traffic traffic() {
    return runtime.traffic();
  }

  @Override
  public void close() {}
}
