package io.harmonica.onnx;

import io.harmonica.model.Int4Matrix;
import io.harmonica.model.Int8Maps;

/**
 * The interpreter whose linear maps have weights of few bits and multiply numbers of the engine's
 * precision: 4 bits in blocks in branches, for memory; 8 where a map makes vectors, as an error in
 * a modulation is the whole picture's.
 */
public final class Int4Ops extends CodedOps {
  private final Int4Matrix.Rounding rounding;

  /**
   * Round another interpreter.
   *
   * @param maps whose tokens' are in 4 bits, vectors' in 8
   */
  public Int4Ops(OnnxOps ops, Int8Maps maps, Int4Matrix.Rounding rounding) {
    super(ops, maps);
    this.rounding = rounding;
  }

  @Override
  Value tokens(Value x, String weight, int in, int out) {
    return ops.product(x, codes.int4(weight, in, out, rounding));
  }
}
