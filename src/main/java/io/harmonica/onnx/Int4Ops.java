package io.harmonica.onnx;

import io.harmonica.model.Forwarding;
import io.harmonica.model.Int4Matrix;
import io.harmonica.model.Int8Maps;

/**
 * The interpreter whose linear maps have weights of few bits and multiply numbers of the engine's
 * precision: 4 bits in blocks in branches, for memory; 8 where a map makes vectors, as an error in
 * a modulation is the whole picture's.
 */
public final class Int4Ops extends Forwarding<Value> {
  private final OnnxOps ops;
  private final Codes codes;
  private final Int8Maps maps;
  private final Int4Matrix.Rounding rounding;

  /**
   * Round another interpreter.
   *
   * @param maps whose tokens' are in 4 bits, vectors' in 8
   */
  public Int4Ops(OnnxOps ops, Int8Maps maps, Int4Matrix.Rounding rounding) {
    super(ops);
    this.ops = ops;
    this.codes = Codes.of(ops);
    this.maps = maps;
    this.rounding = rounding;
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    return add(project(x, name + ".weight", in, out), parameter(name + ".bias", out));
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    if (maps.tokens().contains(name)) {
      return ops.product(x, codes.int4(name, in, out, rounding));
    }
    return maps.vectors().contains(name)
        ? ops.product(x, codes.int8(name, in, out))
        : ops.project(x, name, in, out);
  }
}
