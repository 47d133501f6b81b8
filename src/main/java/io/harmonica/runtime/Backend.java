package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import io.harmonica.repository.proto.ModelConfig;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * What computes in this process: loads engines for a device, and runs them. Everything else, such
 * as ensembles and the checks of a request, {@link EmbeddedRuntime} does for all backends.
 *
 * <p>There is one of each for the whole process. Safe for use by several threads.
 */
public interface Backend {

  /**
   * ONNX Runtime's own kernels on the CPU.
   *
   * @throws HarmonicaException if ONNX Runtime is not on the class path
   */
  static Backend cpu() {
    return of(Device.CPU);
  }

  /**
   * ONNX Runtime on a device: its own kernels, or those of a plugin.
   *
   * @throws HarmonicaException if ONNX Runtime is not on the class path, the plugin is not
   *     installed or does not load, this machine has no such device, or an option cannot be
   */
  static Backend of(Device device) {
    Library.ONNX_RUNTIME.require();
    return new OnnxBackend(device.isCpu() ? Provider.CPU : PluginProvider.open(device));
  }

  /** What computes, with its version, for reports. */
  String description();

  /** A tensor of fp32 values for its engines; the caller closes it. */
  Tensor tensor(FloatBuffer values, long... shape);

  /** A tensor of int64 values for its engines; the caller closes it. */
  Tensor tensor(LongBuffer values, long... shape);

  /** Whether its engines can read a tensor: one that it or its engines made. */
  boolean reads(Tensor tensor);

  /**
   * Loads an engine; the caller closes it.
   *
   * @param folder of the model in its repository
   * @throws HarmonicaException if there is none, or the device cannot run it
   */
  Loaded load(Path folder, ModelConfig config);

  /** An engine that can run, on several threads at once. */
  interface Loaded extends AutoCloseable {
    /**
     * Runs it once.
     *
     * @param inputs by name, which its backend {@link #reads}; they stay the caller's
     * @return exactly these outputs; the caller closes them, before or after the engine
     */
    Map<String, Tensor> run(Map<String, Tensor> inputs, Set<String> outputs);

    @Override
    void close();
  }
}
