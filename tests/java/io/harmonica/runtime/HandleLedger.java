package io.harmonica.runtime;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/** A runtime that remembers every handle it gave out, to find those that nobody closed. */
public final class HandleLedger extends ForwardingRuntime {
  private final Queue<Tensor> handles = new ConcurrentLinkedQueue<>();

  public HandleLedger(Runtime runtime) {
    super(runtime);
  }

  /** How many handles were given out. */
  public int given() {
    return handles.size();
  }

  /** The handles that are still open. */
  public List<Tensor> open() {
    return handles.stream().filter(HandleLedger::isOpen).toList();
  }

  private static boolean isOpen(Tensor tensor) {
    try {
      tensor.floats();
      return true;
    } catch (IllegalStateException e) {
      return !e.getMessage().contains("closed"); // or it holds no floats
    }
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return recorded(runtime.tensor(values, shape));
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return recorded(runtime.tensor(values, shape));
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    Map<String, Tensor> results = runtime.infer(model, inputs, outputs);
    handles.addAll(results.values());
    return results;
  }

  @Override
  public boolean sharesMemory() {
    return runtime.sharesMemory();
  }

  @Override
  public Session session(Supplier<Plan> plan) {
    Session session = runtime.session(plan);
    return new Session() {
      @Override
      public Map<String, Tensor> infer(
          int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
        Map<String, Tensor> results = session.infer(call, model, inputs, outputs);
        handles.addAll(results.values());
        return results;
      }

      @Override
      public CompletableFuture<Map<String, Tensor>> inferAsync(
          int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
        return session.inferAsync(call, model, inputs, outputs);
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }

  @Override
  public Traffic traffic() {
    return runtime.traffic();
  }

  private Tensor recorded(Tensor tensor) {
    handles.add(tensor);
    return tensor;
  }
}
