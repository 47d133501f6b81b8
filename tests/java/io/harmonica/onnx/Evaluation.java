package io.harmonica.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.harmonica.model.Weights;
import io.harmonica.runtime.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs small graphs through ONNX Runtime directly. */
public final class Evaluation {
  /** A tensor's values with its shape. */
  public record Floats(float[] values, long... shape) {}

  public record Longs(long[] values, long... shape) {}

  /** Parameters given by name. */
  public record Parameters(Map<String, Floats> floats) implements Weights {
    @Override
    public void require(String name, long... shape) {
      if (!Arrays.equals(floats.get(name).shape(), shape)) {
        throw new IllegalStateException(name + " is not " + Arrays.toString(shape));
      }
    }

    @Override
    public float[] read(String name, long... shape) {
      require(name, shape);
      return floats.get(name).values();
    }
  }

  private Evaluation() {}

  /** The same without settings. */
  public static Map<String, Floats> run(ModelProto model, Path folder, Map<String, Object> inputs) {
    return run(model, folder, inputs, Map.of());
  }

  /**
   * Runs the model; inputs are {@link Floats} or {@link Longs}; results in the outputs' order.
   *
   * @param settings of ONNX Runtime's session, by key
   */
  public static Map<String, Floats> run(
      ModelProto model, Path folder, Map<String, Object> inputs, Map<String, String> settings) {
    Backend.cpu().description(); // makes the process's one environment, as production has it
    Path file = folder.resolve("model.onnx");
    Map<String, OnnxTensor> tensors = new HashMap<>();
    try {
      Files.write(file, model.toByteArray());
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      for (Map.Entry<String, Object> input : inputs.entrySet()) {
        tensors.put(input.getKey(), tensor(environment, input.getValue()));
      }
      try (OrtSession.SessionOptions options = options(settings);
          OrtSession session = environment.createSession(file.toString(), options);
          OrtSession.Result result = session.run(tensors)) {
        Map<String, Floats> outputs = new LinkedHashMap<>();
        for (Map.Entry<String, ai.onnxruntime.OnnxValue> output : result) {
          OnnxTensor tensor = (OnnxTensor) output.getValue();
          float[] values = new float[Math.toIntExact(tensor.getInfo().getNumElements())];
          tensor.getFloatBuffer().get(values); // widens fp16
          outputs.put(output.getKey(), new Floats(values, tensor.getInfo().getShape()));
        }
        return outputs;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    } finally {
      tensors.values().forEach(OnnxTensor::close);
    }
  }

  private static OrtSession.SessionOptions options(Map<String, String> settings)
      throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    if (Backend.cpu()
        .description()
        .contains("no VNNI")) { // as the runtime does: else sums are cut off
      options.addConfigEntry("session.x64quantprecision", "1");
    }
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      options.addConfigEntry(setting.getKey(), setting.getValue());
    }
    return options;
  }

  private static OnnxTensor tensor(OrtEnvironment environment, Object input) throws OrtException {
    if (input instanceof Longs longs) {
      return OnnxTensor.createTensor(environment, LongBuffer.wrap(longs.values()), longs.shape());
    }
    Floats floats = (Floats) input;
    return OnnxTensor.createTensor(environment, FloatBuffer.wrap(floats.values()), floats.shape());
  }
}
