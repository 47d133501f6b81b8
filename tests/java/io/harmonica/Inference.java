package io.harmonica;

import io.harmonica.repository.ConfigPorts;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Runs a model once, from arrays to arrays. */
public final class Inference {
  private Inference() {}

  /**
   * Runs it for all its fp32 outputs.
   *
   * @param inputs {@code float[]} or {@code long[]} by name, in the shapes of the configuration
   */
  public static Map<String, float[]> run(
      Runtime runtime, String model, int batch, Map<String, Object> inputs) {
    var config = runtime.config(model);
    Map<String, Tensor> tensors = new HashMap<>();
    try {
      for (Port input : ConfigPorts.inputs(config)) {
        long[] shape = input.batched(batch);
        Object values = inputs.get(input.name());
        tensors.put(
            input.name(),
            values instanceof long[] longs
                ? runtime.tensor(LongBuffer.wrap(longs), shape)
                : runtime.tensor(FloatBuffer.wrap((float[]) values), shape));
      }
      Set<String> outputs =
          ConfigPorts.outputs(config).stream()
              .filter(output -> output.type() == Element.FP32)
              .map(Port::name)
              .collect(Collectors.toSet());
      Map<String, float[]> results = new LinkedHashMap<>();
      runtime
          .infer(model, tensors, outputs)
          .forEach(
              (name, tensor) -> {
                float[] values = new float[tensor.floats().remaining()];
                tensor.floats().get(values);
                results.put(name, values);
                tensor.close();
              });
      return results;
    } finally {
      tensors.values().forEach(Tensor::close);
    }
  }
}
