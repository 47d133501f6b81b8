package io.harmonica.onnx;

import io.harmonica.model.Forwarding;
import io.harmonica.model.Int8Maps;

/**
 * The interpreter whose linear maps have weights of few bits: how those of tokens multiply is a
 * subclass's; those that make vectors, as a modulation, have weights of whole numbers in 8 bits, as
 * an error there is the whole picture's, and multiply in the engine's precision as a rule.
 */
abstract class CodedOps extends Forwarding<Value> {
  final OnnxOps ops;
  final Codes codes;
  private final Int8Maps maps;

  /**
   * Round another interpreter.
   *
   * @param maps whose weights have few bits
   */
  CodedOps(OnnxOps ops, Int8Maps maps) {
    super(ops);
    this.ops = ops;
    this.codes = Codes.of(ops);
    this.maps = maps;
  }

  @Override
  public final Value linear(Value x, String name, int in, int out) {
    return add(project(x, name + ".weight", in, out), parameter(name + ".bias", out));
  }

  @Override
  public final Value project(Value x, String name, int in, int out) {
    if (maps.tokens().contains(name)) {
      return tokens(x, name, in, out);
    }
    return maps.vectors().contains(name) ? vector(x, name, in, out) : ops.project(x, name, in, out);
  }

  /** Tokens (B, N, in) by a map's weight. */
  abstract Value tokens(Value x, String weight, int in, int out);

  /** A vector (B, in) by a map's weight. */
  Value vector(Value x, String weight, int in, int out) {
    return ops.product(x, codes.int8(weight, in, out));
  }
}
