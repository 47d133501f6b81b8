package io.harmonica.runtime;

import io.harmonica.Element;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * A handle to data where its runtime keeps it: an ONNX Runtime value, or bytes for the wire.
 *
 * <p>Whoever received the handle owns it and closes it; a runtime never closes its inputs.
 */
public interface Tensor extends AutoCloseable {
  Element type();

  /** The shape, batch first. */
  long[] shape();

  /** The values, row-major, valid until {@link #close}; only of {@code FP32}. */
  FloatBuffer floats();

  /** The values, row-major, valid until {@link #close}; only of {@code UINT8}. */
  default ByteBuffer octets() {
    throw new IllegalStateException("tensor is " + type() + ", not UINT8");
  }

  long sizeBytes();

  @Override
  void close();
}
