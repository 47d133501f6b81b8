package io.harmonica.runtime;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The calls of one trajectory at a {@link Runtime}, one after the other: of several servers it
 * keeps to one while that is there, and tensors that its {@link Plan} names get their places
 * beforehand, where that saves carrying them around.
 *
 * <p>Inputs come from {@link Runtime#tensor} or from earlier calls of the same session. Closing it
 * ends the tensors that it gave, and leaves the runtime open.
 */
public interface Session extends AutoCloseable {

  /** The calls of a runtime that plans nothing: each for itself. */
  static Session of(Runtime runtime) {
    return new Unplanned(runtime);
  }

  /**
   * Runs a model once.
   *
   * @param call its index in the plan, from 0; again where it failed before
   * @param inputs every input of the model by name; they stay the caller's
   * @param outputs the outputs to return
   * @return exactly the requested outputs; the caller closes them
   */
  Map<String, Tensor> infer(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs);

  /** The same as {@link Runtime#inferAsync} does it. */
  CompletableFuture<Map<String, Tensor>> inferAsync(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs);

  @Override
  void close();

  /** Forwards every call. */
  record Unplanned(Runtime runtime) implements Session {
    @Override
    public Map<String, Tensor> infer(
        int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
      return runtime.infer(model, inputs, outputs);
    }

    @Override
    public CompletableFuture<Map<String, Tensor>> inferAsync(
        int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
      return runtime.inferAsync(model, inputs, outputs);
    }

    @Override
    public void close() {}
  }
}
