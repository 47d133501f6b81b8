package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.List;

/**
 * A tensor as a file holds it: little-endian, row-major, usually a view of a mapped file.
 *
 * @param name its name in the file
 * @param shape its dimensions, outermost first
 * @param data exactly {@code elements * dtype.sizeBytes()} bytes, valid until the checkpoint closes
 */
public record StoredTensor(String name, DType dtype, List<Long> shape, ByteBuffer data) {

  /** Refuses a shape that does not fit the data. */
  public StoredTensor {
    shape = List.copyOf(shape);
    long bytes = Math.multiplyExact(elements(shape), dtype.sizeBytes());
    if (bytes != data.remaining()) {
      throw new IllegalArgumentException(
          "tensor %s: %s %s takes %d bytes, but the data has %d"
              .formatted(Messages.quote(name), dtype, shape, bytes, data.remaining()));
    }
  }

  /** The bytes, little-endian, with a position of the caller's own. */
  @Override
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The number of elements: the product of the dimensions, 1 for a scalar. */
  public long elements() {
    return elements(shape);
  }

  /** The product of the dimensions; ArithmeticException where one is negative or it overflows. */
  static long elements(List<Long> shape) {
    long product = 1;
    boolean empty = false;
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new ArithmeticException("negative dimension " + dimension);
      }
      empty |= dimension == 0;
      product = dimension == 0 ? product : Math.multiplyExact(product, dimension);
    }
    return empty ? 0 : product;
  }

  /**
   * A copy of a floating-point tensor, row-major. F32, F16 and BF16 are exact, F64 is rounded to
   * the nearest float.
   *
   * @throws HarmonicaException if the tensor holds integers
   */
  public float[] floats() {
    ByteBuffer bytes = data();
    float[] floats = new float[bytes.remaining() / dtype.sizeBytes()];
    switch (dtype) {
      case F32 -> bytes.asFloatBuffer().get(floats);
      case F64 -> {
        for (int i = 0; i < floats.length; i++) {
          floats[i] = (float) bytes.getDouble(i * Double.BYTES);
        }
      }
      case F16 -> {
        ShortBuffer halves = bytes.asShortBuffer();
        for (int i = 0; i < floats.length; i++) {
          floats[i] = Half.toFloat(halves.get(i));
        }
      }
      case BF16 -> {
        ShortBuffer halves = bytes.asShortBuffer();
        for (int i = 0; i < floats.length; i++) {
          floats[i] = Half.bfloatToFloat(halves.get(i));
        }
      }
      default -> throw wrongType("a floating-point type (F64, F32, F16, BF16)");
    }
    return floats;
  }

  /**
   * A copy of an integer or boolean tensor, row-major; true is 1.
   *
   * @throws HarmonicaException if the tensor holds floating-point numbers
   */
  public long[] longs() {
    ByteBuffer bytes = data();
    int size = dtype.sizeBytes();
    long[] longs = new long[bytes.remaining() / size];
    for (int i = 0; i < longs.length; i++) {
      longs[i] =
          switch (dtype) {
            case I64 -> bytes.getLong(i * size);
            case I32 -> bytes.getInt(i * size);
            case I16 -> bytes.getShort(i * size);
            case I8 -> bytes.get(i);
            case U8, BOOL -> bytes.get(i) & 0xff;
            default -> throw wrongType("an integer type (I64, I32, I16, I8, U8, BOOL)");
          };
    }
    return longs;
  }

  private HarmonicaException wrongType(String expected) {
    return new HarmonicaException(
        "tensor %s has element type %s, but %s is needed here: use a checkpoint that stores it so"
            .formatted(Messages.quote(name), dtype, expected));
  }
}
