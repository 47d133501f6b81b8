package io.harmonica.triton;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.harmonica.repository.proto.DataType;
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
  private final DataType type;
  private final long[] shape;
  private final int sizeBytes;
  private ByteString bytes; // null: closed

  WireTensor(DataType type, long[] shape, ByteString bytes) {
    this.type = type;
    this.shape = shape.clone();
    this.bytes = bytes;
    this.sizeBytes = bytes.size();
  }

  static WireTensor of(FloatBuffer values, long... shape) {
    ByteBuffer bytes = allocate(values.remaining(), Float.BYTES, shape);
    bytes.asFloatBuffer().put(values.duplicate());
    return new WireTensor(DataType.TYPE_FP32, shape, UnsafeByteOperations.unsafeWrap(bytes));
  }

  static WireTensor of(LongBuffer values, long... shape) {
    ByteBuffer bytes = allocate(values.remaining(), Long.BYTES, shape);
    bytes.asLongBuffer().put(values.duplicate());
    return new WireTensor(DataType.TYPE_INT64, shape, UnsafeByteOperations.unsafeWrap(bytes));
  }

  private static ByteBuffer allocate(int values, int bytesPerValue, long[] shape) {
    long expected = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (expected != values) {
      throw new IllegalArgumentException(
          "shape %s holds %d values, given %d".formatted(Arrays.toString(shape), expected, values));
    }
    return ByteBuffer.allocate(Math.multiplyExact(values, bytesPerValue))
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  ByteString bytes() {
    ByteString open = bytes;
    if (open == null) {
      throw new IllegalStateException("tensor is closed");
    }
    return open;
  }

  /** The type as the protocol writes it, {@code FP32} for {@code TYPE_FP32}. */
  static String wireType(DataType type) {
    return type == DataType.TYPE_STRING ? "BYTES" : type.name().substring("TYPE_".length());
  }

  static DataType type(String wireType) {
    return wireType.equals("BYTES") ? DataType.TYPE_STRING : DataType.valueOf("TYPE_" + wireType);
  }

  @Override
  public DataType type() {
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
  static FloatBuffer floats(DataType type, ByteBuffer bytes) {
    if (type != DataType.TYPE_FP32) {
      throw new IllegalStateException("tensor is " + type + ", not TYPE_FP32");
    }
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
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
