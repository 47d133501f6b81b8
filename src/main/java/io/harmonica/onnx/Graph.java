package io.harmonica.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import io.harmonica.Element;
import io.harmonica.Port;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * An ONNX graph under construction, in the operators and versions that Triton's ONNX Runtime
 * (24.10) and TensorRT 10 read. The first dimension of every input and output is the batch.
 */
public final class Graph {
  /** An optional operand that is left out. */
  static final Value NONE = new Value("", Element.INVALID);

  private static final int OPSET = 20;
  private static final int IR_VERSION = 9;
  private static final int OPSET_OF_BLOCKS = 21; // the first in which blocks share a scale
  private static final int IR_VERSION_OF_BLOCKS = 10;
  private static final int NAMED_INTEGERS = 8;

  private final String name;
  private final List<NodeProto.Builder> nodes = new ArrayList<>();
  private final Map<String, TensorProto> initializers = new LinkedHashMap<>();
  private final Map<String, Port> inputs = new LinkedHashMap<>();
  private final Map<String, Port> outputs = new LinkedHashMap<>();
  private final Map<String, String> outputNames = new HashMap<>();
  private final Set<String> computed = new HashSet<>();

  public Graph(String name) {
    this.name = name;
  }

  /** Declares a graph input. */
  public Value input(String input, Element type, long... shapeAfterBatch) {
    requireNew(input);
    inputs.put(input, new Port(input, type, shapeAfterBatch));
    return new Value(input, type);
  }

  /** Makes a value a graph output of this name. */
  public void output(String output, Value value, long... shapeAfterBatch) {
    requireNew(output);
    Value own = value;
    // A node's output takes the name; an input, or what is an output already, needs a copy.
    if (!computed.contains(value.name()) || outputNames.containsKey(value.name())) {
      own = node("Identity", value.type(), List.of(value));
    }
    outputNames.put(own.name(), output);
    outputs.put(output, new Port(output, value.type(), shapeAfterBatch));
  }

  /** The inputs in the order in which they were declared. */
  public List<Port> inputs() {
    return List.copyOf(inputs.values());
  }

  /** Whether it has products of 8 bits by 8 bits. */
  public boolean isInt8() {
    return nodes.stream().anyMatch(node -> node.getOpType().equals(Codes.QUANTIZE));
  }

  /** The outputs in the order in which they were made. */
  public List<Port> outputs() {
    return List.copyOf(outputs.values());
  }

  private void requireNew(String port) {
    if (inputs.containsKey(port) || outputs.containsKey(port)) {
      throw new IllegalArgumentException("graph " + name + " has a '" + port + "' already");
    }
  }

  Value node(String op, Element type, List<Value> operands, AttributeProto... attributes) {
    String output = op + "_" + nodes.size();
    NodeProto.Builder node = NodeProto.newBuilder().setOpType(op).setName(output);
    operands.forEach(operand -> node.addInput(operand.name()));
    nodes.add(node.addOutput(output).addAllAttribute(Arrays.asList(attributes)));
    computed.add(output);
    return new Value(output, type);
  }

  /** An int64 initializer, such as the shape of a reshape; equal ones are shared. */
  Value integers(long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    // Many are named by a digest of theirs: TensorRT refuses names beyond 4096 characters.
    String key =
        values.length <= NAMED_INTEGERS
            ? "int64" + Arrays.toString(values)
            : "int64[" + values.length + "]" + UUID.nameUUIDFromBytes(bytes.array());
    return inline(key, Element.INT64, bytes, values.length);
  }

  Value inline(String key, Element type, ByteBuffer bytes, long... shape) {
    return inline(key, Stored.of(type), bytes, shape);
  }

  Value inline(String key, Stored type, ByteBuffer bytes, long... shape) {
    initializers.computeIfAbsent(
        key,
        k -> tensor(k, type, shape).setRawData(ByteString.copyFrom(bytes.duplicate())).build());
    return new Value(key, type.type());
  }

  Value external(String key, Stored type, WeightFile.Range range, long... shape) {
    initializers.computeIfAbsent(
        key,
        k ->
            tensor(k, type, shape)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", WeightFile.NAME))
                .addExternalData(entry("offset", Long.toString(range.offset())))
                .addExternalData(entry("length", Long.toString(range.length())))
                .build());
    return new Value(key, type.type());
  }

  /**
   * A 0 that nobody gets where something is wrong: the engine then fails, and the node's name says
   * why, as ONNX Runtime shows it. The CPU's {@code Gather} holds its indices to their range.
   *
   * @param wrong of any shape
   * @param why shown as it is
   * @return int64 [1], to be added to what must not come out then
   */
  Value zeroUnless(Value wrong, String why) {
    Value some =
        node(
            "ReduceMax",
            Element.INT64,
            List.of(cast(wrong, Element.INT64)),
            integer("keepdims", 0));
    Value index = node("Reshape", Element.INT64, List.of(some, integers(1)));
    Value zero = node("Gather", Element.INT64, List.of(integers(0), index), integer("axis", 0));
    nodes.get(nodes.size() - 1).setName(why);
    return zero;
  }

  Value cast(Value x, Element type) {
    return node("Cast", type, List.of(x), integer("to", number(type)));
  }

  /** The finished model as a file holds it. */
  public byte[] bytes() {
    return model().toByteArray();
  }

  /** The finished model: what outputs are made of. */
  public ModelProto model() {
    Set<String> needed = needed();
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName(name)
            .addAllInitializer(
                initializers.values().stream()
                    .filter(tensor -> needed.contains(tensor.getName()))
                    .toList())
            .addAllInput(inputs().stream().map(Graph::info).toList())
            .addAllOutput(outputs().stream().map(Graph::info).toList());
    for (NodeProto.Builder node : nodes) {
      if (!needed.contains(node.getOutput(0))) {
        continue;
      }
      NodeProto.Builder renamed = node.clone();
      for (int i = 0; i < renamed.getInputCount(); i++) {
        renamed.setInput(i, outputNames.getOrDefault(renamed.getInput(i), renamed.getInput(i)));
      }
      renamed.setOutput(0, outputNames.getOrDefault(renamed.getOutput(0), renamed.getOutput(0)));
      graph.addNode(renamed);
    }
    boolean blocks =
        initializers.values().stream().anyMatch(i -> i.getDataType() == Stored.INT4.number());
    return ModelProto.newBuilder()
        .setIrVersion(blocks ? IR_VERSION_OF_BLOCKS : IR_VERSION)
        .setProducerName("harmonica")
        .addOpsetImport(
            OperatorSetIdProto.newBuilder().setVersion(blocks ? OPSET_OF_BLOCKS : OPSET))
        .setGraph(graph)
        .build();
  }

  /**
   * Names of all values that outputs depend on. An input that no output depends on keeps its first
   * reader, as TensorRT refuses one without any.
   */
  private Set<String> needed() {
    Set<String> needed = dependedOn(new HashSet<>(outputNames.keySet()));
    for (Port input : inputs()) {
      if (!needed.contains(input.name())) {
        nodes.stream()
            .filter(node -> node.getInputList().contains(input.name()))
            .findFirst()
            .ifPresent(node -> needed.add(node.getOutput(0)));
      }
    }
    return dependedOn(needed);
  }

  /** These, and whatever they are made of. */
  private Set<String> dependedOn(Set<String> needed) {
    for (int i = nodes.size() - 1; i >= 0; i--) { // a node reads only earlier ones
      NodeProto.Builder node = nodes.get(i);
      if (needed.contains(node.getOutput(0))) {
        needed.addAll(node.getInputList());
      }
    }
    return needed;
  }

  static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  static AttributeProto integers(String name, long... values) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    Arrays.stream(values).forEach(attribute::addInts);
    return attribute.build();
  }

  static AttributeProto number(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  static AttributeProto text(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  private static TensorProto.Builder tensor(String name, Stored type, long... shape) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type.number());
    Arrays.stream(shape).forEach(tensor::addDims);
    return tensor;
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private static ValueInfoProto info(Port port) {
    TensorShapeProto.Builder shape =
        TensorShapeProto.newBuilder()
            .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("batch"));
    for (int i = 0; i < port.shape().length; i++) {
      TensorShapeProto.Dimension.Builder dimension = TensorShapeProto.Dimension.newBuilder();
      shape.addDim(
          port.shape()[i] == Port.ANY
              ? dimension.setDimParam(port.name() + i)
              : dimension.setDimValue(port.shape()[i]));
    }
    TypeProto.Tensor.Builder tensor =
        TypeProto.Tensor.newBuilder().setElemType(number(port.type())).setShape(shape);
    return ValueInfoProto.newBuilder()
        .setName(port.name())
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  /** The number that ONNX has for a type. */
  static int number(Element type) {
    return switch (type) {
      case FP32 -> DataType.FLOAT_VALUE;
      case FP16 -> DataType.FLOAT16_VALUE;
      case BF16 -> DataType.BFLOAT16_VALUE;
      case FP64 -> DataType.DOUBLE_VALUE;
      case INT64 -> DataType.INT64_VALUE;
      case UINT8 -> DataType.UINT8_VALUE;
      case INT8 -> DataType.INT8_VALUE;
      default -> throw new IllegalStateException("no engine takes " + type);
    };
  }
}
