package io.harmonica.runtime;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.List;

/** Builds an ONNX graph of a few nodes for tests; a node has the name of its one output. */
public final class TinyGraph {
  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("graph");

  /** A dimension of -1 is any size. */
  public TinyGraph input(String name, TensorProto.DataType type, long... dims) {
    graph.addInput(value(name, type, dims));
    return this;
  }

  public TinyGraph output(String name, TensorProto.DataType type, long... dims) {
    graph.addOutput(value(name, type, dims));
    return this;
  }

  public TinyGraph floats(String name, List<Long> dims, float... values) {
    TensorProto.Builder tensor = constant(name, TensorProto.DataType.FLOAT, dims);
    for (float value : values) {
      tensor.addFloatData(value);
    }
    graph.addInitializer(tensor);
    return this;
  }

  TinyGraph longs(String name, List<Long> dims, long... values) {
    TensorProto.Builder tensor = constant(name, TensorProto.DataType.INT64, dims);
    for (long value : values) {
      tensor.addInt64Data(value);
    }
    graph.addInitializer(tensor);
    return this;
  }

  public TinyGraph node(String output, String operator, String... inputs) {
    graph.addNode(node(output, operator, List.of(inputs)));
    return this;
  }

  TinyGraph cast(String output, TensorProto.DataType type, String input) {
    AttributeProto.Builder to =
        AttributeProto.newBuilder().setName("to").setType(AttributeType.INT).setI(type.getNumber());
    graph.addNode(node(output, "Cast", List.of(input)).toBuilder().addAttribute(to));
    return this;
  }

  /** Runs {@code body} (iteration, go on, value) to (go on, value) {@code limit} times. */
  TinyGraph loop(String output, TinyGraph body, String limit, String initial) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName("body").setType(AttributeType.GRAPH).setG(body.graph);
    graph.addNode(
        node(output, "Loop", List.of(limit, "", initial)).toBuilder().addAttribute(attribute));
    return this;
  }

  /** The model, in the newest versions that Triton 24.10 reads. */
  public ModelProto model() {
    return ModelProto.newBuilder()
        .setIrVersion(10)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(20))
        .setGraph(graph)
        .build();
  }

  private static NodeProto node(String output, String operator, List<String> inputs) {
    return NodeProto.newBuilder()
        .setName(output)
        .setOpType(operator)
        .addAllInput(inputs)
        .addOutput(output)
        .build();
  }

  private static TensorProto.Builder constant(
      String name, TensorProto.DataType type, List<Long> dims) {
    return TensorProto.newBuilder().setName(name).setDataType(type.getNumber()).addAllDims(dims);
  }

  private static ValueInfoProto value(String name, TensorProto.DataType type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      TensorShapeProto.Dimension.Builder dimension = TensorShapeProto.Dimension.newBuilder();
      shape.addDim(dim < 0 ? dimension.setDimParam("any") : dimension.setDimValue(dim));
    }
    TypeProto.Tensor.Builder tensor =
        TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape);
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }
}
