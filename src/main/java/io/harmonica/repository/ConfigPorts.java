package io.harmonica.repository;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelOutput;
import java.util.Arrays;
import java.util.List;

/** The ports of a model as its configuration states them. */
public final class ConfigPorts {
  private ConfigPorts() {}

  public static List<Port> inputs(ModelConfig config) {
    return config.getInputList().stream()
        .map(input -> port(input.getName(), input.getDataType(), input.getDimsList()))
        .toList();
  }

  public static List<Port> outputs(ModelConfig config) {
    return config.getOutputList().stream()
        .map(output -> port(output.getName(), output.getDataType(), output.getDimsList()))
        .toList();
  }

  /** A configuration with these ports, and nothing else yet. */
  public static ModelConfig.Builder of(Iterable<Port> inputs, Iterable<Port> outputs) {
    ModelConfig.Builder config = ModelConfig.newBuilder();
    for (Port port : inputs) {
      config.addInput(
          ModelInput.newBuilder()
              .setName(port.name())
              .setDataType(type(port))
              .addAllDims(dims(port)));
    }
    for (Port port : outputs) {
      config.addOutput(
          ModelOutput.newBuilder()
              .setName(port.name())
              .setDataType(type(port))
              .addAllDims(dims(port)));
    }
    return config;
  }

  private static Port port(String name, DataType type, List<Long> dims) {
    long[] shape = dims.stream().mapToLong(Long::longValue).toArray();
    return new Port(name, Element.of(type.name().replace("TYPE_", "")), shape);
  }

  private static DataType type(Port port) {
    return DataType.valueOf("TYPE_" + port.type());
  }

  private static List<Long> dims(Port port) {
    return Arrays.stream(port.shape()).boxed().toList();
  }
}
