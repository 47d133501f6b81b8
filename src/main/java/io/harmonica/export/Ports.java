package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The graph of an engine with its inputs and outputs, as its configuration lists them. */
final class Ports {

  /** A tensor at the edge of an engine, its shape after the batch. */
  record Port(String name, DataType type, long... shape) {
    long elements() {
      return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
  }

  private final Graph graph;
  private final Map<String, Port> inputs = new LinkedHashMap<>();
  private final Map<String, Port> outputs = new LinkedHashMap<>();
  private final Map<String, Value> values = new HashMap<>();

  Ports(Graph graph) {
    this.graph = graph;
  }

  /** The input of this name, declared when first asked for. */
  Value input(String name, DataType type, long... shape) {
    return values.computeIfAbsent(
        name,
        key -> {
          inputs.put(name, new Port(name, type, shape));
          return graph.input(name, type, shape);
        });
  }

  void output(String name, Value value, long... shape) {
    outputs.put(name, new Port(name, value.type(), shape));
    graph.output(name, value, shape);
  }

  List<Port> inputs() {
    return List.copyOf(inputs.values());
  }

  List<Port> outputs() {
    return List.copyOf(outputs.values());
  }

  ModelProto onnx() {
    return graph.model();
  }
}
