package io.harmonica.runtime;

import static ai.onnx.proto.OnnxMl.TensorProto.DataType.BOOL;
import static ai.onnx.proto.OnnxMl.TensorProto.DataType.FLOAT;
import static ai.onnx.proto.OnnxMl.TensorProto.DataType.FLOAT16;
import static ai.onnx.proto.OnnxMl.TensorProto.DataType.INT32;
import static ai.onnx.proto.OnnxMl.TensorProto.DataType.INT64;
import static io.harmonica.repository.proto.DataType.TYPE_FP16;
import static io.harmonica.repository.proto.DataType.TYPE_FP32;
import static io.harmonica.repository.proto.DataType.TYPE_INT32;
import static io.harmonica.repository.proto.DataType.TYPE_INT64;
import static io.harmonica.runtime.ModelRepository.engine;
import static io.harmonica.runtime.ModelRepository.ensemble;
import static io.harmonica.runtime.ModelRepository.input;
import static io.harmonica.runtime.ModelRepository.output;
import static io.harmonica.runtime.ModelRepository.step;

import io.harmonica.repository.proto.ModelParameter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The models that {@link RuntimeContract} runs: tiny, with results that can be told by heart. */
public final class ContractModels {
  public static final int MAX_BATCH = 4;

  private ContractModels() {}

  public static void write(Path repository) throws IOException {
    writeAffine(repository);
    writeSigns(repository);
    writeHalves(repository);
    writeLabels(repository);
    writeUnbatched(repository);
    ModelRepository.write(
        repository,
        ensemble(
                "chain", // result = -(2 x + 1), tap = 2 x + 1
                MAX_BATCH,
                step("affine", Map.of("x", "sample"), Map.of("y", "hidden", "y_tap", "tap")),
                step("signs", Map.of("x", "hidden"), Map.of("minus", "result")))
            .addInput(input("sample", TYPE_FP32, 3))
            .addOutput(output("result", TYPE_FP32, 3))
            .addOutput(output("tap", TYPE_FP32, 3))
            .putParameters("harmonica", ModelParameter.newBuilder().setStringValue("{}").build()));
  }

  /** y = 2 x + 1, and the same value again as y_tap. */
  private static void writeAffine(Path repository) throws IOException {
    ModelRepository.write(
        repository,
        engine("affine", MAX_BATCH)
            .addInput(input("x", TYPE_FP32, 3))
            .addOutput(output("y", TYPE_FP32, 3))
            .addOutput(output("y_tap", TYPE_FP32, 3)),
        new TinyGraph()
            .input("x", FLOAT, -1, 3)
            .floats("w", List.of(), 2)
            .floats("b", List.of(), 1)
            .node("xw", "Mul", "x", "w")
            .node("y", "Add", "xw", "b")
            .node("y_tap", "Identity", "y")
            .output("y", FLOAT, -1, 3)
            .output("y_tap", FLOAT, -1, 3)
            .model());
  }

  /** plus = x, minus = -x. */
  private static void writeSigns(Path repository) throws IOException {
    ModelRepository.write(
        repository,
        engine("signs", MAX_BATCH)
            .addInput(input("x", TYPE_FP32, 3))
            .addOutput(output("plus", TYPE_FP32, 3))
            .addOutput(output("minus", TYPE_FP32, 3)),
        new TinyGraph()
            .input("x", FLOAT, -1, 3)
            .node("plus", "Identity", "x")
            .node("minus", "Neg", "x")
            .output("plus", FLOAT, -1, 3)
            .output("minus", FLOAT, -1, 3)
            .model());
  }

  /** narrow casts to fp16, doubled stays in it, widen casts back; halves chains the three. */
  private static void writeHalves(Path repository) throws IOException {
    ModelRepository.write(
        repository,
        engine("narrow", MAX_BATCH)
            .addInput(input("x", TYPE_FP32, 3))
            .addOutput(output("y", TYPE_FP16, 3)),
        new TinyGraph()
            .input("x", FLOAT, -1, 3)
            .cast("y", FLOAT16, "x")
            .output("y", FLOAT16, -1, 3)
            .model());
    ModelRepository.write(
        repository,
        engine("doubled", MAX_BATCH)
            .addInput(input("x", TYPE_FP16, 3))
            .addOutput(output("y", TYPE_FP16, 3)),
        new TinyGraph()
            .input("x", FLOAT16, -1, 3)
            .node("y", "Add", "x", "x")
            .output("y", FLOAT16, -1, 3)
            .model());
    ModelRepository.write(
        repository,
        engine("widen", MAX_BATCH)
            .addInput(input("x", TYPE_FP16, 3))
            .addOutput(output("y", TYPE_FP32, 3)),
        new TinyGraph()
            .input("x", FLOAT16, -1, 3)
            .cast("y", FLOAT, "x")
            .output("y", FLOAT, -1, 3)
            .model());
    ModelRepository.write(
        repository,
        ensemble(
                "halves",
                MAX_BATCH,
                step("narrow", Map.of("x", "x"), Map.of("y", "half")),
                step("doubled", Map.of("x", "half"), Map.of("y", "whole")),
                step("widen", Map.of("x", "whole"), Map.of("y", "y")))
            .addInput(input("x", TYPE_FP32, 3))
            .addOutput(output("y", TYPE_FP32, 3)));
  }

  /** row = scale * [10 l, 10 l + 1] for label l = 0, 1, 2, and the label as int32. */
  private static void writeLabels(Path repository) throws IOException {
    ModelRepository.write(
        repository,
        engine("labels", MAX_BATCH)
            .addInput(input("label", TYPE_INT64, 1))
            .addInput(input("scale", TYPE_FP32, 1))
            .addOutput(output("row", TYPE_FP32, 2))
            .addOutput(output("label32", TYPE_INT32, 1)),
        new TinyGraph()
            .input("label", INT64, -1, 1)
            .input("scale", FLOAT, -1, 1)
            .floats("table", List.of(3L, 2L), 0, 1, 10, 11, 20, 21)
            .longs("axis", List.of(1L), 1)
            .node("index", "Squeeze", "label", "axis")
            .node("unscaled", "Gather", "table", "index")
            .node("row", "Mul", "unscaled", "scale")
            .cast("label32", INT32, "label")
            .output("row", FLOAT, -1, 2)
            .output("label32", INT32, -1, 1)
            .model());
  }

  /** y = -x for x of shape [2, any]. */
  public static void writeUnbatched(Path repository) throws IOException {
    ModelRepository.write(
        repository,
        engine("unbatched", 0)
            .addInput(input("x", TYPE_FP32, 2, -1))
            .addOutput(output("y", TYPE_FP32, 2, -1)),
        new TinyGraph()
            .input("x", FLOAT, 2, -1)
            .node("y", "Neg", "x")
            .output("y", FLOAT, 2, -1)
            .model());
  }

  /** Counts up to its input one by one, so takes as long as its caller likes. */
  public static void writeCounter(Path repository) throws IOException {
    TinyGraph body =
        new TinyGraph()
            .input("i", INT64)
            .input("go_on", BOOL)
            .input("n", INT64, 1)
            .longs("one", List.of(1L), 1)
            .node("goes_on", "Identity", "go_on")
            .node("next", "Add", "n", "one")
            .output("goes_on", BOOL)
            .output("next", INT64, 1);
    ModelRepository.write(
        repository,
        engine("counter", 0)
            .addInput(input("limit", TYPE_INT64, 1))
            .addOutput(output("count", TYPE_FP32, 1)),
        new TinyGraph()
            .input("limit", INT64, 1)
            .longs("zero", List.of(1L), 0)
            .loop("n", body, "limit", "zero")
            .cast("count", FLOAT, "n")
            .output("count", FLOAT, 1)
            .model());
  }
}
