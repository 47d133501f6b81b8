package io.harmonica.triton;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.harmonica.Element;
import io.harmonica.runtime.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** A tensor that the server wrote to its place in a region, and reads there again. */
final class SharedTensor implements Tensor {
  private final Element type;
  private final long[] shape;
  private final Region region;
  private final long offset;
  private final long sizeBytes;
  private volatile boolean closed;

  SharedTensor(Element type, long[] shape, Region region, long offset, long sizeBytes) {
    this.type = type;
    this.shape = shape.clone();
    this.region = region;
    this.offset = offset;
    this.sizeBytes = sizeBytes;
  }

  Region region() {
    requireOpen();
    return region;
  }

  long offset() {
    return offset;
  }

  /** The bytes in place, for a request that cannot point at them. */
  ByteString bytes() {
    requireOpen();
    return UnsafeByteOperations.unsafeWrap(region.view(offset, sizeBytes));
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
    requireOpen();
    return WireTensor.floats(type, region.view(offset, sizeBytes));
  }

  @Override
  public ByteBuffer octets() {
    requireOpen();
    return WireTensor.octets(type, region.view(offset, sizeBytes));
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("tensor is closed");
    }
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public void close() {
    closed = true;
  }
}
