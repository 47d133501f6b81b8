package io.harmonica.runtime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.harmonica.HarmonicaException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * One ONNX file that belongs to no repository, run in this process on the pool that {@link
 * EmbeddedRuntime} uses; fp32 in, fp32 out.
 *
 * <p>Owns its session; {@link #close} ends it. Several threads may run it.
 */
public final class OnnxFile implements AutoCloseable {
  private final Path file;
  private final OrtSession session;

  private OnnxFile(Path file, OrtSession session) {
    this.file = file;
    this.session = session;
  }

  /** An fp32 tensor in Java's memory. */
  public record Values(float[] values, long[] shape) {}

  /**
   * Opens a file.
   *
   * @throws HarmonicaException if there is none, or ONNX Runtime cannot load it
   */
  public static OnnxFile open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new HarmonicaException("no ONNX file at %s: check the path".formatted(file));
    }
    return new OnnxFile(file, OnnxEnvironment.load(file, true));
  }

  /** The fp32 inputs with their shapes; -1 is any size. */
  public Map<String, long[]> inputs() {
    try {
      return shapes(session.getInputInfo());
    } catch (OrtException e) {
      throw fault(e);
    }
  }

  /** The fp32 outputs with their shapes; -1 is any size. */
  public Map<String, long[]> outputs() {
    try {
      return shapes(session.getOutputInfo());
    } catch (OrtException e) {
      throw fault(e);
    }
  }

  /** Runs the file's one input {@code name} through it, for some of its fp32 outputs. */
  public Map<String, Values> run(String name, Values input, Set<String> outputs) {
    try (OnnxTensor tensor =
            OnnxTensor.createTensor(
                OnnxEnvironment.get(), FloatBuffer.wrap(input.values()), input.shape());
        OrtSession.Result result =
            session.run(Map.<String, OnnxTensorLike>of(name, tensor), outputs)) {
      Map<String, Values> values = new LinkedHashMap<>();
      for (String output : outputs) {
        OnnxTensor made = (OnnxTensor) result.get(output).orElseThrow();
        FloatBuffer buffer = made.getFloatBuffer();
        float[] copy = new float[buffer.remaining()];
        buffer.get(copy);
        values.put(output, new Values(copy, made.getInfo().getShape()));
      }
      return values;
    } catch (OrtException e) {
      throw fault(e);
    }
  }

  private static Map<String, long[]> shapes(Map<String, NodeInfo> nodes) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    nodes.forEach(
        (name, node) -> {
          if (node.getInfo() instanceof TensorInfo tensor
              && tensor.onnxType == TensorInfo.OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
            shapes.put(name, tensor.getShape());
          }
        });
    return shapes;
  }

  private HarmonicaException fault(OrtException e) {
    return new HarmonicaException(
        "%s failed in ONNX Runtime: %s".formatted(file, e.getMessage().replaceAll("\\s+", " ")), e);
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
