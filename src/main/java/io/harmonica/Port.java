package io.harmonica;

import java.util.Arrays;
import java.util.OptionalLong;

/**
 * An input or output of a model: {@code sample}, FP32, [4, 32, 32].
 *
 * @param shape after the batch; {@link #ANY} for a dimension of any size
 */
public record Port(String name, Element type, long... shape) {
  public static final long ANY = -1;

  /** Elements for one sample, where no dimension is open. */
  public long elements() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** The size with a batch; empty where the shape is open or elements have no fixed size. */
  public OptionalLong sizeBytes(long batch) {
    boolean open = Arrays.stream(shape).anyMatch(dim -> dim < 0);
    long bytes = open ? 0 : type.bytes(Math.multiplyExact(batch, elements()));
    return bytes > 0 ? OptionalLong.of(bytes) : OptionalLong.empty();
  }

  public Port named(String other) {
    return new Port(other, type, shape);
  }

  /** With any number of rows in its own shape, of a model that has no batch. */
  public Port ofRows() {
    return new Port(name, type, batched(ANY));
  }

  /** What {@link #ofRows} was made of. */
  public Port ofRow() {
    return new Port(name, type, Arrays.copyOfRange(shape, 1, shape.length));
  }

  /** Its shape with the batch before it. */
  public long[] batched(long batch) {
    long[] batched = new long[shape.length + 1];
    batched[0] = batch;
    System.arraycopy(shape, 0, batched, 1, shape.length);
    return batched;
  }
}
