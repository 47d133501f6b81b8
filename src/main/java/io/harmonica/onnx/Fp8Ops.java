package io.harmonica.onnx;

import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The interpreter whose linear maps multiply floating-point numbers of 8 bits (E4M3): weights with
 * a scale an output, activations with one that is known beforehand. Maps that make vectors have
 * weights of whole numbers in 8 bits, and multiply in the engine's precision.
 */
public final class Fp8Ops extends CodedOps {
  private final InputScales scales;
  private final Map<Value, Value> rounded = new HashMap<>(); // q, k and v read the same

  /**
   * Round another interpreter.
   *
   * @param scales of what the maps of tokens read, each known
   */
  public Fp8Ops(OnnxOps ops, Int8Maps maps, InputScales scales) {
    super(ops, maps);
    this.scales = scales;
  }

  @Override
  Value tokens(Value x, String weight, int in, int out) {
    Value read = rounded.computeIfAbsent(x, some -> round(some, weight));
    return ops.product(read, codes.fp8(weight, in, out));
  }

  private Value round(Value x, String weight) {
    Supplier<Float> scale = scales.of(weight).orElseThrow();
    Value known =
        codes.number(x.type(), weight + ".input", () -> (float) ops.precision().held(scale.get()));
    return codes.rounded(x, known, known, Stored.FP8, 0);
  }
}
