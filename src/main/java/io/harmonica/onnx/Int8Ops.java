package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.checkpoint.Half;
import io.harmonica.model.Forwarding;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Weights;
import java.nio.ByteBuffer;
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
public final class Int8Ops extends Forwarding<Value> {
  static final String QUANTIZE = "QuantizeLinear";

  private static final float TINY_FP16 = 0x1p-14f; // the smallest that fp16 holds in full
  private static final float LEAST_FP16 = 0x1p-24f; // a scale of 0 would divide by it

  private final OnnxOps ops;
  private final Graph graph;
  private final Weights weights;
  private final Initializers initializers;
  private final Element element;
  private final Int8Maps maps;
  private final Element code;
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
    super(ops);
    this.ops = ops;
    this.graph = ops.graph();
    this.weights = ops.weights();
    this.initializers = ops.initializers();
    this.element = ops.precision().element();
    this.maps = maps;
    this.scales = scales;
    this.code = signed ? Element.INT8 : Element.UINT8;
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    return add(project(x, name + ".weight", in, out), parameter(name + ".bias", out));
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    Optional<Supplier<Float>> known = scales.of(name);
    if (known.isPresent()) {
      Value read = scaled.computeIfAbsent(x, some -> round(some, name, known.get()));
      return graph.node("MatMul", element, List.of(read, weight(name, in, out)));
    }
    if (maps.tokens().contains(name)) {
      return product(rounded.computeIfAbsent(x, this::round), weight(name, in, out));
    }
    return maps.vectors().contains(name)
        ? product(x, name, in, out)
        : ops.project(x, name, in, out);
  }

  /**
   * A vector in 16 bits: it and what its rounding left are two tokens, whose products are added.
   */
  private Value product(Value x, String name, int in, int out) {
    Tokens once = rounded.computeIfAbsent(x, this::round);
    Value left = sub(x, mul(once.fractions, once.largest)); // (B, in)
    Value both = concat(1, List.of(reshape(x, 0, 1, in), reshape(left, 0, 1, in)));
    Value products = product(round(both), weight(name, in, out)); // (B, 2, out)
    return reshape(add(slice(products, 1, 0, 1), slice(products, 1, 1, 2)), 0, out);
  }

  private Value product(Tokens tokens, Value weight) {
    return mul(graph.node("MatMul", element, List.of(tokens.fractions, weight)), tokens.largest);
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
        codes(fractions, number(Element.FP32, "scale", step), number(element, "scale", step)),
        divisor);
  }

  private Value round(Value x, String weight, Supplier<Float> scale) {
    Function<Element, Value> held =
        as ->
            initializers.floats(
                weight + ".input" + as, as, () -> new float[] {(float) held(scale.get())});
    return codes(toFloat(x), held.apply(Element.FP32), held.apply(element));
  }

  /** What codes stand for, of numbers in fp32. */
  private Value codes(Value x, Value scale, Value scaleAsRead) {
    Value codes = graph.node(QUANTIZE, code, List.of(x, scale, zero()));
    return graph.node("DequantizeLinear", element, List.of(codes, scaleAsRead, zero()));
  }

  /** Always stated: without it ONNX Runtime has no integer kernel. */
  private Value zero() {
    byte[] zero = {(byte) (code == Element.INT8 ? 0 : 128)};
    return graph.inline("int8.zero", code, ByteBuffer.wrap(zero));
  }

  private Value number(Element as, String key, float value) {
    return initializers.floats("int8." + key + as, as, () -> new float[] {value});
  }

  /** A weight [out, in], kept as codes [in, out]. */
  private Value weight(String name, int in, int out) {
    Int8Matrix[] made = new Int8Matrix[1]; // none where the file has it all
    Supplier<Int8Matrix> matrix =
        () -> made[0] == null ? made[0] = round(weights.read(name, out, in), in, out) : made[0];
    Value codes =
        initializers.bytes(name + ".codes", () -> transpose(matrix.get().codes(), in), in, out);
    Value scales = initializers.floats(name + ".scales", element, () -> matrix.get().scales(), out);
    Value zeros = graph.inline(name + ".zeros", Element.INT8, ByteBuffer.allocate(out), out);
    return graph.node(
        "DequantizeLinear", element, List.of(codes, scales, zeros), Graph.integer("axis", 1));
  }

  private Int8Matrix round(float[] weight, int in, int out) {
    return Int8Matrix.of(weight, out, in, this::held);
  }

  /** A scale as it is kept. */
  private double held(double scale) {
    return element == Element.FP16
        ? Math.max(LEAST_FP16, Half.toFloat(Half.fromFloat((float) scale)))
        : scale;
  }

  private static byte[] transpose(byte[] codes, int columns) {
    int rows = codes.length / columns;
    byte[] transposed = new byte[codes.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        transposed[c * rows + r] = codes[r * columns + c];
      }
    }
    return transposed;
  }
}
