package io.harmonica.runtime;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.TextFormat;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.repository.proto.ModelEnsembling.Step;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelInstanceGroup;
import io.harmonica.repository.proto.ModelOutput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Writes Triton model repositories for tests. */
public final class ModelRepository {
  private ModelRepository() {}

  /** Writes an engine: its configuration and its graph. */
  public static void write(Path repository, ModelConfig.Builder config, ModelProto graph)
      throws IOException {
    Files.write(write(repository, config).resolve("model.onnx"), graph.toByteArray());
  }

  /** Writes an ensemble, and returns the folder of its only version. */
  public static Path write(Path repository, ModelConfig.Builder config) throws IOException {
    Path version = Files.createDirectories(repository.resolve(config.getName()).resolve("1"));
    Files.writeString(
        version.resolveSibling("config.pbtxt"), TextFormat.printer().printToString(config));
    return version;
  }

  /** An engine of ONNX Runtime; {@code maxBatch} 0: without batch dimension. */
  public static ModelConfig.Builder engine(String name, int maxBatch) {
    return ModelConfig.newBuilder()
        .setName(name)
        .setBackend("onnxruntime")
        .setMaxBatchSize(maxBatch)
        .addInstanceGroup(ModelInstanceGroup.newBuilder().setCount(1));
  }

  public static ModelConfig.Builder ensemble(String name, int maxBatch, Step... steps) {
    return ModelConfig.newBuilder()
        .setName(name)
        .setPlatform("ensemble")
        .setMaxBatchSize(maxBatch)
        .setEnsembleScheduling(ModelEnsembling.newBuilder().addAllStep(List.of(steps)));
  }

  /** A step of an ensemble: the model's own names to the ensemble's. */
  public static Step step(String model, Map<String, String> inputs, Map<String, String> outputs) {
    return Step.newBuilder()
        .setModelName(model)
        .setModelVersion(-1)
        .putAllInputMap(inputs)
        .putAllOutputMap(outputs)
        .build();
  }

  /** An input, its dimensions without the batch; -1: any size. */
  public static ModelInput input(String name, DataType type, long... dims) {
    return ModelInput.newBuilder()
        .setName(name)
        .setDataType(type)
        .addAllDims(Arrays.stream(dims).boxed().toList())
        .build();
  }

  /** An output, its dimensions without the batch; -1: any size. */
  public static ModelOutput output(String name, DataType type, long... dims) {
    return ModelOutput.newBuilder()
        .setName(name)
        .setDataType(type)
        .addAllDims(Arrays.stream(dims).boxed().toList())
        .build();
  }
}
