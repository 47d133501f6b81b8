package io.harmonica.onnx;

import io.harmonica.Element;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** Single nodes of a {@link Graph}, for graphs without weights. */
record Nodes(Graph graph) {

  Value op(String name, Value... operands) {
    return graph.node(name, operands[0].type(), List.of(operands));
  }

  /** Of bool, from two of one type. */
  Value test(String name, Value... operands) {
    return graph.node(name, Element.BOOL, List.of(operands));
  }

  /** An fp32 constant of this shape; a scalar without one. */
  Value floats(float[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    String key = "fp32" + Arrays.toString(values) + Arrays.toString(shape);
    return graph.inline(key, Element.FP32, bytes, shape);
  }

  Value number(float value) {
    return floats(new float[] {value});
  }

  /** An int64 scalar. */
  Value integer(long value) {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
    return graph.inline("int64 " + value, Element.INT64, bytes);
  }

  Value reshape(Value x, long... shape) {
    return op("Reshape", x, graph.integers(shape));
  }

  /** Some rows, {@code from} and {@code to} as int64 [1]. */
  Value rows(Value x, Value from, Value to) {
    return op("Slice", x, from, to, graph.integers(0), graph.integers(1));
  }

  Value slice(Value x, long axis, long from, long to) {
    return op(
        "Slice",
        x,
        graph.integers(from),
        graph.integers(to),
        graph.integers(axis),
        graph.integers(1));
  }

  /** Rows of these indices. */
  Value gather(Value x, Value indices) {
    return graph.node("Gather", x.type(), List.of(x, indices), Graph.integer("axis", 0));
  }

  Value concat(long axis, Value... parts) {
    return graph.node("Concat", parts[0].type(), List.of(parts), Graph.integer("axis", axis));
  }

  /** How many rows, int64 [1]. */
  Value count(Value x) {
    Value shape = graph.node("Shape", Element.INT64, List.of(x));
    return slice(shape, 0, 0, 1);
  }

  /** The same in so many rows, int64 [1]. */
  Value expand(Value x, Value count, long... shapeAfterBatch) {
    return op("Expand", x, concat(0, count, graph.integers(shapeAfterBatch)));
  }

  /** Where a value is no number, or infinite. */
  Value notFinite(Value x) {
    return test("Not", test("Equal", op("Sub", x, x), number(0)));
  }
}
