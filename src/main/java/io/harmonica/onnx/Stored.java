package io.harmonica.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.Element;

/**
 * What numbers of an initializer are stored in: an {@link Element}, or what only weights can be.
 *
 * @param number that ONNX has for it
 * @param type {@link Element#INVALID} where it is none
 * @param bits of one number
 */
record Stored(int number, Element type, int bits) {
  static final Stored INT8 = of(Element.INT8);
  static final Stored UINT8 = of(Element.UINT8);

  /** Floating-point, as {@link io.harmonica.model.Fp8} has it. */
  static final Stored FP8 = new Stored(DataType.FLOAT8E4M3FN_VALUE, Element.INVALID, 8);

  /** Two a byte, the first in the lower half. */
  static final Stored INT4 = new Stored(DataType.INT4_VALUE, Element.INVALID, 4);

  static Stored of(Element type) {
    return new Stored(Graph.number(type), type, Math.toIntExact(type.bytes(8)));
  }

  /** Bytes of so many numbers. */
  long bytes(long count) {
    return (Math.multiplyExact(count, bits) + 7) / 8;
  }
}
