package io.harmonica.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.Element;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation.Floats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphTest {
  private static final Floats X = new Floats(new float[] {1, -2, 3}, 1, 3);

  @TempDir Path folder;

  private final Graph graph = new Graph("test");
  private WeightFile weights;
  private OnnxOps ops;

  @BeforeEach
  void open() throws IOException {
    weights = WeightFile.create(folder.resolve(WeightFile.NAME));
    ops = new OnnxOps(graph, Weights.NONE, weights, Precision.FP32);
  }

  @AfterEach
  void close() throws IOException {
    weights.close();
  }

  @Test
  void output_ofAnInput_passesItOn() {
    Value x = graph.input("x", Element.FP32, 3);
    graph.output("y", x, 3);
    assertThat(run().get("y").values()).containsExactly(1, -2, 3);
  }

  @Test
  void output_ofAConstant_isTheConstant() {
    graph.input("x", Element.FP32, 3);
    graph.output("y", ops.constant(new float[] {7, 8}, 1, 2), 2);
    assertThat(run().get("y").values()).containsExactly(7, 8);
  }

  @Test
  void whatNoOutputNeeds_isNotWritten() {
    Value x = graph.input("x", Element.FP32, 3);
    ops.mul(ops.add(x, x), ops.constant(new float[] {7}, 1));
    graph.output("y", ops.sin(x), 3);
    assertThat(graph.model().getGraph().getNodeList()).hasSize(1);
    assertThat(graph.model().getGraph().getInitializerList()).isEmpty();
  }

  @Test
  void output_ofOneValueTwice_givesBoth() {
    Value x = graph.input("x", Element.FP32, 3);
    Value doubled = ops.add(x, x);
    graph.output("tap", doubled, 3);
    graph.output("again", doubled, 3);
    graph.output("result", ops.mul(doubled, x), 3); // read further after it got its name
    Map<String, Floats> outputs = run();
    assertThat(outputs.keySet()).containsExactly("tap", "again", "result");
    assertThat(outputs.get("tap").values()).containsExactly(2, -4, 6);
    assertThat(outputs.get("again").values()).containsExactly(2, -4, 6);
    assertThat(outputs.get("result").values()).containsExactly(2, 8, 18);
  }

  @Test
  void ports_keepTheirNamesAndLeaveTheBatchOpen() {
    Value x = graph.input("block00.modulation", Element.FP32, 3);
    graph.output("block00.mlp", ops.add(x, x), 3);
    ModelProto model = graph.model();
    assertThat(model.getGraph().getInput(0).getName()).isEqualTo("block00.modulation");
    assertThat(model.getGraph().getOutput(0).getName()).isEqualTo("block00.mlp");
    var shape = model.getGraph().getInput(0).getType().getTensorType().getShape();
    assertThat(shape.getDim(0).getDimParam()).isEqualTo("batch");
    assertThat(shape.getDim(1).getDimValue()).isEqualTo(3);
    Floats pair = new Floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    assertThat(Evaluation.run(model, folder, Map.of("block00.modulation", pair)))
        .hasEntrySatisfying(
            "block00.mlp", y -> assertThat(y.values()).containsExactly(2, 4, 6, 8, 10, 12));
  }

  @Test
  void ports_ofOneNameTwice_areRefused() {
    Value x = graph.input("x", Element.FP32, 3);
    graph.output("y", x, 3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> graph.output("y", x, 3))
        .withMessage("graph test has a 'y' already");
    assertThatIllegalArgumentException().isThrownBy(() -> graph.output("x", x, 3));
    assertThatIllegalArgumentException().isThrownBy(() -> graph.input("x", Element.FP32, 3));
  }

  @Test
  void equalConstants_areKeptOnce_othersApart() {
    Value x = graph.input("x", Element.FP32, 3);
    // {0, 31} and {1, 0} as integers would collide in Java's 32-bit hash; so may floats.
    float[] a = {Float.intBitsToFloat(0x40000000), Float.intBitsToFloat(0x4000001f)};
    float[] b = {Float.intBitsToFloat(0x40000001), Float.intBitsToFloat(0x40000000)};
    assertThat(java.util.Arrays.hashCode(a)).isEqualTo(java.util.Arrays.hashCode(b));
    graph.output("a", ops.constant(a, 1, 2), 2);
    graph.output("again", ops.constant(a.clone(), 1, 2), 2);
    graph.output("b", ops.constant(b, 1, 2), 2);
    graph.output("y", ops.reshape(ops.reshape(x, 0, 3), 0, 3), 3);
    assertThat(graph.model().getGraph().getInitializerList())
        .extracting(initializer -> initializer.getDataType())
        .containsExactly(
            DataType.FLOAT.getNumber(), DataType.FLOAT.getNumber(), DataType.INT64.getNumber());
    Map<String, Floats> outputs = run();
    assertThat(outputs.get("a").values()).containsExactly(a);
    assertThat(outputs.get("again").values()).containsExactly(a);
    assertThat(outputs.get("b").values()).containsExactly(b);
  }

  /** The 14,400 distances of a text encoder's 120 tokens made a name that TensorRT refused. */
  @Test
  void manyIntegers_haveAShortName_andAreKeptOnceWhereEqual() {
    long[] values = LongStream.range(0, 5000).toArray();
    long[] others = LongStream.range(1, 5001).toArray();
    Value one = graph.integers(values);
    assertThat(one.name()).hasSizeLessThan(100);
    Value other = graph.integers(others);
    assertThat(graph.integers(values.clone())).isEqualTo(one);
    assertThat(other).isNotEqualTo(one);
    for (Value some : List.of(one, graph.integers(values.clone()), other)) {
      graph.output("y" + graph.outputs().size(), some);
    }
    assertThat(graph.model().getGraph().getInitializerCount()).isEqualTo(2);
  }

  @Test
  void model_isWhatTritonReads() {
    Value x = graph.input("x", Element.FP32, 3);
    graph.output("y", ops.gelu(x, io.harmonica.model.Gelu.TANH), 3);
    ModelProto model = graph.model();
    assertThat(model.getIrVersion()).isLessThanOrEqualTo(10);
    assertThat(model.getOpsetImport(0).getVersion()).isLessThanOrEqualTo(20);
    assertThat(model.getGraph().getNodeList())
        .extracting(NodeProto::getOpType)
        .isEqualTo(List.of("Gelu"));
    assertThat(graph.model()).isEqualTo(model); // asking twice changes nothing
  }

  private Map<String, Floats> run() {
    return Evaluation.run(graph.model(), folder, Map.of("x", X));
  }
}
