package io.harmonica.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.harmonica.HarmonicaException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * One engine of a repository in ONNX Runtime. Owns its sessions; {@link #close} ends them.
 *
 * @param model its name in the repository
 */
record OnnxEngine(String model, SessionsBySize sessions) implements Backend.Loaded {

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> inputs, Set<String> outputs) {
    Map<String, OnnxTensorLike> values = new HashMap<>();
    inputs.forEach((name, tensor) -> values.put(name, ((EmbeddedTensor) tensor).value()));
    try {
      OrtSession session = sessions.of(rows(inputs));
      OrtSession.Result result = session.run(values, outputs);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (String name : outputs) { // each closed on its own, not with the result
        tensors.put(name, new EmbeddedTensor((OnnxTensor) result.get(name).orElseThrow()));
      }
      return tensors;
    } catch (OrtException e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "model '%s' failed in ONNX Runtime: %s".formatted(model, e.getMessage()),
          e);
    }
  }

  /** The batch's size, or whatever the first dimension is of an engine that has no batch. */
  private static long rows(Map<String, Tensor> inputs) {
    long[] shape = inputs.values().iterator().next().shape();
    return shape.length == 0 ? 1 : shape[0];
  }

  @Override
  public void close() {
    sessions.close();
  }
}
