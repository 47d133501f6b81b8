package io.harmonica;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** What a tensor is made of; the constants are Triton's data types. */
public enum Element {
  INVALID(0),
  BOOL(1),
  UINT8(1),
  UINT16(2),
  UINT32(4),
  UINT64(8),
  INT8(1),
  INT16(2),
  INT32(4),
  INT64(8),
  FP16(2),
  FP32(4),
  FP64(8),
  STRING(0),
  BF16(2);

  private static final Map<String, Element> BY_NAME =
      Arrays.stream(values()).collect(Collectors.toMap(Element::name, element -> element));

  private final int size;

  Element(int size) {
    this.size = size;
  }

  /** The type of this name; {@link #INVALID} for one that is none of these. */
  public static Element of(String name) {
    return BY_NAME.getOrDefault(name, INVALID);
  }

  /** Bytes of so many elements; 0 of a type whose elements differ in size. */
  public long bytes(long count) {
    return Math.multiplyExact(count, size);
  }
}
