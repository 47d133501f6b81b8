package io.harmonica.runtime;

import io.harmonica.repository.proto.ModelConfig;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * Something that runs a named model of a repository: ONNX Runtime in this process, or a Triton
 * server.
 *
 * <p>Every fault is a {@link io.harmonica.HarmonicaException} with the same words in every runtime.
 * Implementations are safe for use by several threads.
 */
public interface Runtime extends AutoCloseable {

  /** The configuration of a model. */
  ModelConfig config(String model);

  /** A tensor of fp32 values for {@link #infer}; the caller closes it. */
  Tensor tensor(FloatBuffer values, long... shape);

  /** A tensor of int64 values for {@link #infer}; the caller closes it. */
  Tensor tensor(LongBuffer values, long... shape);

  /**
   * Runs a model once.
   *
   * @param inputs every input of the model by name; they stay the caller's
   * @param outputs the outputs to return
   * @return exactly the requested outputs; the caller closes them
   */
  Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs);

  /**
   * Whether what computes reads and writes the memory of this process's sessions, so that large
   * tensors need not travel.
   */
  default boolean sharesMemory() {
    return false;
  }

  /**
   * Runs a model once, where the runtime can without keeping a thread waiting; others run it before
   * they return. Cancelling the future cancels the call.
   *
   * @return what {@link #infer} returns, or completed with what it throws
   */
  default CompletableFuture<Map<String, Tensor>> inferAsync(
      String model, Map<String, Tensor> inputs, Set<String> outputs) {
    try {
      return CompletableFuture.completedFuture(infer(model, inputs, outputs));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Begins the calls of one trajectory. The caller closes the session before this runtime.
   *
   * @param plan of the calls to come, asked for only where it is of use; other tensors are fine too
   */
  default Session session(Supplier<Plan> plan) {
    return Session.of(this);
  }

  /** What computes, with its version, for reports. */
  default String description() {
    return getClass().getSimpleName();
  }

  /** The least time to what computes and back, without computing; 0 in this process. */
  default long roundTripNanos() {
    return 0;
  }

  /** What it has done so far; {@link Statistics#NONE} of a runtime that does not count. */
  default Statistics statistics() {
    return Statistics.NONE;
  }

  /** What went to servers and back so far, without asking them; nothing of this process. */
  default Traffic traffic() {
    return Traffic.NONE;
  }

  /**
   * Refuses further calls, with an {@link IllegalStateException}, and lets running ones end: all of
   * them in this process; on a server those that end within its deadline, the others fail.
   */
  @Override
  void close();
}
