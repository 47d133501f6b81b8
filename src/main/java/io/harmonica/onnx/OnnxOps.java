package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.model.Gelu;
import io.harmonica.model.Ops;
import io.harmonica.model.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;

/** The interpreter that appends each operation to an ONNX {@link Graph}. */
public final class OnnxOps implements Ops<Value> {
  private final Graph graph;
  private final Weights weights;
  private final Initializers initializers;
  private final Precision precision;

  public OnnxOps(Graph graph, Weights weights, WeightFile file, Precision precision) {
    this.graph = graph;
    this.weights = weights;
    this.initializers = new Initializers(graph, file);
    this.precision = precision;
  }

  Graph graph() {
    return graph;
  }

  Weights weights() {
    return weights;
  }

  Initializers initializers() {
    return initializers;
  }

  Precision precision() {
    return precision;
  }

  @Override
  public Value constant(float[] values, long... shape) {
    // By a digest of the content, 128 bits: equal ones are shared, and no two others ever are.
    byte[] content = WeightFile.bytes(values, 0, values.length, Element.FP32).array();
    String key = "constant" + Arrays.toString(shape) + UUID.nameUUIDFromBytes(content);
    return initializers.floats(key, Element.FP32, () -> values, shape);
  }

  @Override
  public Value parameter(String name, long... shape) {
    return weight(name, false, shape);
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    Value product = project(x, name + ".weight", in, out);
    return op("Add", product, weight(name + ".bias", false, out));
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    return product(x, weight(name, true, out, in));
  }

  /** Of rows and a matrix [in, out]. */
  Value product(Value x, Value matrix) {
    return op("MatMul", x, matrix);
  }

  @Override
  public Value conv(Value x, String name, int in, int out, int kernel, int stride, int padding) {
    Element type = convolved();
    Value filter = weight(name + ".weight", type, false, out, in, kernel, kernel);
    Value convolved =
        graph.node(
            "Conv",
            type,
            List.of(cast(x, type), filter, weight(name + ".bias", type, false, out)),
            Graph.integers("kernel_shape", kernel, kernel),
            Graph.integers("strides", stride, stride),
            Graph.integers("pads", padding, padding, padding, padding));
    return cast(convolved, x.type());
  }

  /** ONNX convolves bfloat16 from opset 22 on, which Triton 24.10 does not read. */
  private Element convolved() {
    return precision.element() == Element.BF16 ? Element.FP32 : precision.element();
  }

  @Override
  public Value embedding(Value index, String name, int rows, int width) {
    Value flat = graph.node("Reshape", index.type(), List.of(index, graph.integers(-1)));
    return graph.node(
        "Gather", precision.element(), List.of(weight(name, false, rows, width), flat));
  }

  @Override
  public Value embedding(int[] index, String name, int rows, int width) {
    Value known = graph.integers(Arrays.stream(index).asLongStream().toArray());
    return graph.node(
        "Gather", precision.element(), List.of(weight(name, false, rows, width), known));
  }

  @Override
  public Value rowAt(Value x, Value ids, OptionalInt token) {
    Value scores = ids;
    if (token.isPresent()) {
      scores = graph.node("Equal", Element.BOOL, List.of(ids, graph.integers(token.getAsInt())));
    }
    Value place = // (B, 1); of several largest the first; token ids are exact in fp32
        graph.node("ArgMax", Element.INT64, List.of(toFloat(scores)), Graph.integer("axis", 1));
    return graph.node(
        "GatherND", x.type(), List.of(x, place), Graph.integer("batch_dims", 1)); // (B, D)
  }

  @Override
  public Value add(Value a, Value b) {
    return op("Add", a, b);
  }

  @Override
  public Value sub(Value a, Value b) {
    return op("Sub", a, b);
  }

  @Override
  public Value mul(Value a, Value b) {
    return op("Mul", a, b);
  }

  @Override
  public Value sin(Value x) {
    return op("Sin", x);
  }

  @Override
  public Value cos(Value x) {
    return op("Cos", x);
  }

  @Override
  public Value silu(Value x) {
    return op("Mul", x, op("Sigmoid", x));
  }

  @Override
  public Value gelu(Value x, Gelu gelu) {
    String approximate = gelu == Gelu.TANH ? "tanh" : "none";
    return graph.node("Gelu", x.type(), List.of(x), Graph.text("approximate", approximate));
  }

  @Override
  public Value layerNorm(Value x, int width, double eps) {
    float[] ones = new float[width];
    Arrays.fill(ones, 1);
    Value scale = toPrecision(constant(ones, width)); // required by the operator
    return layerNorm(List.of(x, scale), eps);
  }

  @Override
  public Value layerNorm(Value x, String name, int width, double eps) {
    Value scale = parameter(name + ".weight", width);
    return layerNorm(List.of(x, scale, parameter(name + ".bias", width)), eps);
  }

  private Value layerNorm(List<Value> operands, double eps) {
    return graph.node(
        "LayerNormalization",
        operands.get(0).type(),
        operands,
        Graph.integer("axis", -1),
        Graph.number("epsilon", (float) eps));
  }

  @Override
  public Value rmsNorm(Value x, String name, int width, double eps) {
    Value square = op("Mul", x, x);
    Value mean = graph.node("ReduceMean", x.type(), List.of(square, graph.integers(-1)));
    Value size = op("Sqrt", op("Add", mean, constant(new float[] {(float) eps}, 1)));
    return op("Mul", toPrecision(op("Div", x, size)), parameter(name, width));
  }

  @Override
  public Value groupNorm(Value x, String name, int groups, int channels, double eps) {
    // An instance norm over whole groups: the operator of that name differs between opsets.
    float[] ones = new float[groups];
    Arrays.fill(ones, 1);
    Value scale = toPrecision(constant(ones, groups)); // required by the operator
    Value shift = toPrecision(constant(new float[groups], groups));
    Value normal =
        graph.node(
            "InstanceNormalization",
            x.type(),
            List.of(reshape(x, 0, groups, -1), scale, shift),
            Graph.number("epsilon", (float) eps));
    Value scaled =
        op("Mul", reshapeLike(normal, x), reshape(parameter(name + ".weight", channels), -1, 1, 1));
    return op("Add", scaled, reshape(parameter(name + ".bias", channels), -1, 1, 1));
  }

  @Override
  public Value attention(Value q, Value k, Value v, int heads, int width) {
    return mix(scores(q, k, heads, width), v, heads, width);
  }

  @Override
  public Value attention(Value q, Value k, Value v, Value bias, int heads, int width) {
    return mix(op("Add", scores(q, k, heads, width), bias), v, heads, width);
  }

  private Value scores(Value q, Value k, int heads, int width) {
    int head = width / heads;
    Value scale = toPrecision(constant(new float[] {(float) (1 / Math.sqrt(head))}, 1));
    Value queries = transpose(reshape(op("Mul", q, scale), 0, 0, heads, head), 0, 2, 1, 3);
    Value keys = transpose(reshape(k, 0, 0, heads, head), 0, 2, 3, 1); // (B, heads, head, M)
    return op("MatMul", queries, keys); // (B, heads, N, M)
  }

  private Value mix(Value scores, Value v, int heads, int width) {
    Value values = transpose(reshape(v, 0, 0, heads, width / heads), 0, 2, 1, 3);
    Value shares = graph.node("Softmax", v.type(), List.of(scores), Graph.integer("axis", -1));
    return reshape(transpose(op("MatMul", shares, values), 0, 2, 1, 3), 0, 0, width);
  }

  @Override
  public Value upsample(Value x) {
    Value scales = constant(new float[] {1, 1, 2, 2}, 4);
    return graph.node(
        "Resize",
        x.type(),
        List.of(x, Graph.NONE, scales),
        Graph.text("mode", "nearest"),
        Graph.text("coordinate_transformation_mode", "asymmetric"),
        Graph.text("nearest_mode", "floor"));
  }

  @Override
  public Value reshape(Value x, long... shape) {
    return graph.node("Reshape", x.type(), List.of(x, graph.integers(shape)));
  }

  @Override
  public Value reshapeLike(Value x, Value like) {
    Value shape = graph.node("Shape", Element.INT64, List.of(like));
    return graph.node("Reshape", x.type(), List.of(x, shape));
  }

  @Override
  public Value transpose(Value x, int... permutation) {
    long[] perm = Arrays.stream(permutation).asLongStream().toArray();
    return graph.node("Transpose", x.type(), List.of(x), Graph.integers("perm", perm));
  }

  @Override
  public Value slice(Value x, int axis, long from, long to) {
    List<Value> operands =
        List.of(x, graph.integers(from), graph.integers(to), graph.integers(axis));
    return graph.node("Slice", x.type(), operands);
  }

  @Override
  public Value concat(int axis, List<Value> parts) {
    return graph.node("Concat", parts.get(0).type(), parts, Graph.integer("axis", axis));
  }

  @Override
  public Value toFloat(Value x) {
    return cast(x, Element.FP32);
  }

  @Override
  public Value toPrecision(Value x) {
    return cast(x, precision.element());
  }

  private Value cast(Value x, Element type) {
    return x.type() == type
        ? x
        : graph.node("Cast", type, List.of(x), Graph.integer("to", Graph.number(type)));
  }

  private Value op(String name, Value... operands) {
    for (Value operand : operands) {
      if (operand.type() != operands[0].type()) { // ONNX converts nothing by itself
        throw new IllegalArgumentException(name + " of " + Arrays.toString(operands));
      }
    }
    return graph.node(name, operands[0].type(), Arrays.asList(operands));
  }

  /**
   * A parameter as an initializer; a linear map's [out, in] is kept transposed, as MatMul wants.
   */
  private Value weight(String name, boolean transposed, long... shape) {
    return weight(name, precision.element(), transposed, shape);
  }

  private Value weight(String name, Element type, boolean transposed, long... shape) {
    long[] kept = transposed ? new long[] {shape[1], shape[0]} : shape;
    return initializers.floats(
        name,
        type,
        () -> {
          float[] values = weights.read(name, shape);
          requireHolds(name, values);
          return transposed ? transpose(values, shape) : values;
        },
        kept);
  }

  /** An infinity out of a rounded weight would only show in the pictures. */
  private void requireHolds(String name, float[] values) {
    if (precision.element() != Element.FP16) {
      return;
    }
    for (float value : values) {
      if (Math.abs(value) > Precision.MAX_FP16 && Float.isFinite(value)) {
        throw new HarmonicaException(
            "weight %s holds %s, beyond fp16's %s; export with `precision` fp32"
                .formatted(name, value, Precision.MAX_FP16));
      }
    }
  }

  private static float[] transpose(float[] values, long... shape) {
    int rows = (int) shape[0];
    int columns = (int) shape[1];
    float[] result = new float[values.length];
    int tile = 32;
    for (int r0 = 0; r0 < rows; r0 += tile) {
      for (int c0 = 0; c0 < columns; c0 += tile) {
        for (int r = r0; r < Math.min(rows, r0 + tile); r++) {
          for (int c = c0; c < Math.min(columns, c0 + tile); c++) {
            result[c * rows + r] = values[r * columns + c];
          }
        }
      }
    }
    return result;
  }
}
