package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import java.util.List;

/**
 * A tensor as a torch pickle describes it: a strided view of a storage.
 *
 * @param offset of the first element, in elements of the storage
 * @param shape dimensions, outermost first
 * @param stride for each dimension, in elements
 */
record TorchTensor(Storage storage, long offset, List<Long> shape, List<Long> stride) {

  /**
   * A block of elements, in the zip entry {@code <prefix>/data/<key>}.
   *
   * @param elements its number of elements
   */
  record Storage(DType dtype, String key, long elements) {}

  /** The number of elements of the storage from the first used to the last one; 0 if empty. */
  long span() {
    return span(shape, stride);
  }

  /** Checks that the view stays within its storage. */
  void check(String where) {
    try {
      if (shape.size() == stride.size()
          && offset >= 0
          && stride.stream().allMatch(s -> s >= 0)
          && storage.elements() >= 0
          && Math.addExact(offset, span()) <= storage.elements()) {
        return;
      }
    } catch (ArithmeticException e) {
      // told below: no storage has that many elements
    }
    throw new HarmonicaException(
        "%s has offset %d, shape %s and strides %s, beyond its storage of %d elements; the file is damaged: fetch it again"
            .formatted(
                where,
                offset,
                Messages.printable(shape.toString()),
                Messages.printable(stride.toString()),
                storage.elements()));
  }

  /** Whether the elements already lie in row-major order, one after the other. */
  boolean contiguous() {
    long expected = 1;
    for (int i = shape.size() - 1; i >= 0; i--) {
      if (shape.get(i) != 1 && stride.get(i) != expected) {
        return StoredTensor.elements(shape) == 0;
      }
      expected *= Math.max(1, shape.get(i));
    }
    return true;
  }

  private static long span(List<Long> shape, List<Long> stride) {
    if (StoredTensor.elements(shape) == 0) {
      return 0;
    }
    long last = 0;
    for (int i = 0; i < shape.size(); i++) {
      last = Math.addExact(last, Math.multiplyExact(shape.get(i) - 1, stride.get(i)));
    }
    return last + 1;
  }
}
