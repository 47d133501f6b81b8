package io.harmonica.onnx;

import io.harmonica.Element;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Initializers of a {@link Graph}: small ones lie in the ONNX file itself, the others in the file
 * for weights, each once. What that file has already is not asked for again.
 */
record Initializers(Graph graph, WeightFile file) {
  /** Those below this many elements lie in the ONNX file. */
  private static final int INLINE_ELEMENTS = 1024;

  /** Numbers in any of the floating-point types. */
  Value floats(String key, Element as, Supplier<float[]> values, long... shape) {
    return of(
        key,
        Stored.of(as),
        () -> {
          float[] all = values.get();
          return WeightFile.bytes(all, 0, all.length, as);
        },
        range -> file.write(range, values.get(), as),
        shape);
  }

  /** Codes, as they lie in the file. */
  Value bytes(String key, Stored as, Supplier<byte[]> values, long... shape) {
    return of(
        key,
        as,
        () -> ByteBuffer.wrap(values.get()),
        range -> file.write(range, ByteBuffer.wrap(values.get())),
        shape);
  }

  /** Writes an initializer to its place. */
  private interface Writing {
    void to(WeightFile.Range range) throws IOException;
  }

  private Value of(
      String key, Stored as, Supplier<ByteBuffer> inline, Writing writing, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (elements < INLINE_ELEMENTS) {
      return graph.inline(
          key,
          as,
          file.measures() ? ByteBuffer.allocate((int) as.bytes(elements)) : inline.get(),
          shape);
    }
    WeightFile.Range range = file.find(key);
    if (range == null) {
      range = file.reserve(key, as.bytes(elements));
      if (!file.measures()) {
        try {
          writing.to(range);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return graph.external(key, as, range, shape);
  }
}
