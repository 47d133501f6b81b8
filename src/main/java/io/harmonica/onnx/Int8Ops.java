package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Int8Matrix;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The interpreter whose linear maps multiply 8 bits by 8 bits: weights with a scale an output,
 * tokens with a scale of their own, found as they come (W8A8 per token, as ViDiT-Q, arXiv
 * 2406.02540), for which nothing is calibrated; or, where a scale is known beforehand, all with
 * that one. No picture depends on those beside it.
 *
 * <p>A token is divided by its largest number and then quantised by a constant scale, in the
 * pattern that ONNX Runtime, OpenVINO and TensorRT make integer kernels of; the product is
 * multiplied by that number. So it stays at the size of a weight's row before, which fp16 holds.
 */
public final class Int8Ops extends CodedOps {
  private static final float TINY_FP16 = 0x1p-14f; // the smallest that fp16 holds in full

  private final Graph graph;
  private final Element element;
  private final Stored code;
  private final InputScales scales;
  private final Map<Value, Tokens> rounded = new HashMap<>(); // q, k and v read the same
  private final Map<Value, Value> scaled = new HashMap<>();

  /** Tokens in 8 bits, as fractions of each one's largest number: both (B, N, .). */
  private record Tokens(Value fractions, Value largest) {}

  /**
   * Round another interpreter.
   *
   * @param maps those that are in 8 bits
   * @param scales of what they read, where known
   * @param signed whether activations are int8, the only ones that TensorRT takes; else uint8
   *     around 128, the only ones for which ONNX Runtime has fast kernels: the same numbers
   */
  public Int8Ops(OnnxOps ops, Int8Maps maps, InputScales scales, boolean signed) {
    super(ops, maps);
    this.graph = ops.graph();
    this.element = ops.precision().element();
    this.scales = scales;
    this.code = signed ? Stored.INT8 : Stored.UINT8;
  }

  @Override
  Value tokens(Value x, String weight, int in, int out) {
    Optional<Supplier<Float>> known = scales.of(weight);
    if (known.isPresent()) {
      Value read = scaled.computeIfAbsent(x, some -> round(some, weight, known.get()));
      return ops.product(read, codes.int8(weight, in, out));
    }
    return product(rounded.computeIfAbsent(x, this::round), codes.int8(weight, in, out));
  }

  /** In 16 bits: the vector and what its rounding left are two tokens, whose products are added. */
  @Override
  Value vector(Value x, String weight, int in, int out) {
    Tokens once = rounded.computeIfAbsent(x, this::round);
    Value left = sub(x, mul(once.fractions, once.largest)); // (B, in)
    Value both = concat(1, List.of(reshape(x, 0, 1, in), reshape(left, 0, 1, in)));
    Value products = product(round(both), codes.int8(weight, in, out)); // (B, 2, out)
    return reshape(add(slice(products, 1, 0, 1), slice(products, 1, 1, 2)), 0, out);
  }

  private Value product(Tokens tokens, Value weight) {
    return mul(ops.product(tokens.fractions, weight), tokens.largest);
  }

  private Tokens round(Value x) {
    Value largest =
        graph.node(
            "ReduceMax",
            element,
            List.of(graph.node("Abs", element, List.of(x)), graph.integers(-1)));
    float tiny = element == Element.FP16 ? TINY_FP16 : Int8Matrix.TINY;
    Value divisor = graph.node("Max", element, List.of(largest, number(element, "tiny", tiny)));
    // In fp32: of fp16 ONNX Runtime's CPU kernel cuts digits off where it has to round.
    Value fractions = graph.node("Div", Element.FP32, List.of(toFloat(x), toFloat(divisor)));
    float step = 1f / Int8Matrix.MOST;
    return new Tokens(
        rounded(fractions, number(Element.FP32, "scale", step), number(element, "scale", step)),
        divisor);
  }

  private Value round(Value x, String weight, Supplier<Float> scale) {
    Function<Element, Value> held =
        as -> codes.number(as, weight + ".input", () -> (float) ops.precision().held(scale.get()));
    return rounded(toFloat(x), held.apply(Element.FP32), held.apply(element));
  }

  /** What codes stand for, of numbers in fp32. */
  private Value rounded(Value x, Value scale, Value scaleAsRead) {
    return codes.rounded(x, scale, scaleAsRead, code, code.equals(Stored.INT8) ? 0 : 128);
  }

  private Value number(Element as, String key, float value) {
    return codes.number(as, "int8." + key, () -> value);
  }
}
