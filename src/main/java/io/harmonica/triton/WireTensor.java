package io.harmonica.triton;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.harmonica.Element;
import io.harmonica.runtime.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * A tensor as the bytes that travel to and from a Triton server: row-major, little-endian.
 *
 * <p>An output is a view of the bytes as received, and goes back as the next request's input
 * without another copy.
 */
final class WireTensor implements Tensor {
  private final Element type;
  private final long[] shape;
  private final int sizeBytes;
  private ByteString bytes; // null: closed

  WireTensor(Element type, long[] shape, ByteString bytes) {
    this.type = type;
    this.shape = shape.clone();
    this.bytes = bytes;
    this.sizeBytes = bytes.size();
  }

  static WireTensor of(FloatBuffer values, long... shape) {
    ByteBuffer bytes = allocate(Element.FP32, values.remaining(), shape);
    bytes.asFloatBuffer().put(values.duplicate());
    return new WireTensor(Element.FP32, shape, UnsafeByteOperations.unsafeWrap(bytes));
  }

  static WireTensor of(LongBuffer values, long... shape) {
    ByteBuffer bytes = allocate(Element.INT64, values.remaining(), shape);
    bytes.asLongBuffer().put(values.duplicate());
    return new WireTensor(Element.INT64, shape, UnsafeByteOperations.unsafeWrap(bytes));
  }

  private static ByteBuffer allocate(Element type, int values, long[] shape) {
    long expected = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (expected != values) {
      throw new IllegalArgumentException(
          "shape %s holds %d values, given %d".formatted(Arrays.toString(shape), expected, values));
    }
    return ByteBuffer.allocate(Math.toIntExact(type.bytes(values))).order(ByteOrder.LITTLE_ENDIAN);
  }

  ByteString bytes() {
    ByteString open = bytes;
    if (open == null) {
      throw new IllegalStateException("tensor is closed");
    }
    return open;
  }

  /** The type as the protocol writes it. */
  static String wireType(Element type) {
    return type == Element.STRING ? "BYTES" : type.name();
  }

  static Element type(String wireType) {
    return wireType.equals("BYTES") ? Element.STRING : Element.of(wireType);
  }

  @Override
  public Element type() {
    return type;
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public FloatBuffer floats() {
    return floats(type, bytes().asReadOnlyByteBuffer());
  }

  /** Bytes of the protocol as numbers, without copying them. */
  static FloatBuffer floats(Element type, ByteBuffer bytes) {
    if (type != Element.FP32) {
      throw new IllegalStateException("tensor is " + type + ", not FP32");
    }
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  @Override
  public ByteBuffer octets() {
    return octets(type, bytes().asReadOnlyByteBuffer());
  }

  /** Bytes of the protocol as they are. */
  static ByteBuffer octets(Element type, ByteBuffer bytes) {
    if (type != Element.UINT8) {
      throw new IllegalStateException("tensor is " + type + ", not UINT8");
    }
    return bytes.asReadOnlyBuffer();
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void close() {
    bytes = null;
  }
}
