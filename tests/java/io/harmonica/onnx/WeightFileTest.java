package io.harmonica.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.TensorProto;
import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Parameters;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightFileTest {
  @TempDir Path folder;

  @Test
  void write_alignsToPages_andKeepsWhatItWrote() throws IOException {
    Path path = folder.resolve(WeightFile.NAME);
    try (WeightFile file = WeightFile.create(path)) {
      WeightFile.Range first = append(file, "a", Element.FP32, 1, -2);
      WeightFile.Range second = append(file, "b", Element.FP32, 3);
      assertThat(first).isEqualTo(new WeightFile.Range(0, 8));
      assertThat(second).isEqualTo(new WeightFile.Range(4096, 4));
      assertThat(file.find("b")).isEqualTo(second);
      assertThat(file.find("c")).isNull();
      assertThat(file.sizeBytes()).isEqualTo(4100);
      assertThat(file.measures()).isFalse();
    }
    ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(content.capacity()).isEqualTo(4100);
    assertThat(content.getFloat(0)).isEqualTo(1);
    assertThat(content.getFloat(4)).isEqualTo(-2);
    assertThat(content.getFloat(8)).isZero();
    assertThat(content.getFloat(4096)).isEqualTo(3);
  }

  private static WeightFile.Range append(WeightFile file, String name, Element as, float... values)
      throws IOException {
    WeightFile.Range range = file.reserve(name, as.bytes(values.length));
    file.write(range, values, as);
    return range;
  }

  @Test
  void write_beyondOneChunk_writesAll() throws IOException {
    float[] many = new float[(1 << 20) + 3];
    many[1 << 20] = 5;
    many[many.length - 1] = 7;
    Path path = folder.resolve("big");
    try (WeightFile file = WeightFile.create(path)) {
      append(file, "a", Element.FP16, many);
    }
    ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(content.capacity()).isEqualTo(2 * many.length);
    assertThat(content.getShort(2 << 20)).isEqualTo((short) 0x4500); // 5
    assertThat(content.getShort(2 * many.length - 2)).isEqualTo((short) 0x4700); // 7
  }

  @Test
  void bytes_inFp16_roundToTheNearest() {
    float[] values = {1, -2, 0.1f, 65504, 65519, 1e9f, 0x1p-24f, 0x1p-26f, Float.NaN};
    ByteBuffer bytes = WeightFile.bytes(values, 0, values.length, Element.FP16);
    int[] expected = {0x3c00, 0xc000, 0x2e66, 0x7bff, 0x7bff, 0x7c00, 1, 0, 0x7e00};
    for (int i = 0; i < values.length; i++) {
      assertThat(bytes.getShort(2 * i)).as("of " + values[i]).isEqualTo((short) expected[i]);
    }
  }

  @Test
  void create_overAFile_isRefused() throws IOException {
    Path path = Files.createFile(folder.resolve("there"));
    assertThatThrownBy(() -> WeightFile.create(path))
        .isInstanceOf(FileAlreadyExistsException.class);
  }

  @ParameterizedTest
  @EnumSource
  void initializers_areInlineUpToASize_andMeasuredAsWritten(Precision precision)
      throws IOException {
    Floats small = new Floats(new float[1023], 1023);
    Floats big = new Floats(new float[1024], 1024);
    for (int i = 0; i < 1023; i++) {
      small.values()[i] = i % 256 / 8f; // 8 bits, which bf16 holds
      big.values()[i + 1] = -(i % 256) / 8f;
    }
    Parameters weights = new Parameters(Map.of("small", small, "big", big));
    Path path = folder.resolve(WeightFile.NAME);
    try (WeightFile measured = WeightFile.measure();
        WeightFile written = WeightFile.create(path)) {
      Graph dry = graph(weights, measured, precision);
      Graph wet = graph(weights, written, precision);
      assertThat(measured.sizeBytes()).isEqualTo(written.sizeBytes()).isEqualTo(Files.size(path));
      assertThat(dry.model().getSerializedSize()).isEqualTo(wet.model().getSerializedSize());
      assertThat(wet.model().getGraph().getInitializerList())
          .filteredOn(i -> i.getDataLocation() == TensorProto.DataLocation.EXTERNAL)
          .extracting(TensorProto::getName)
          .hasSize(2)
          .contains("big"); // the other is the constant
      Map<String, Floats> outputs = Evaluation.run(wet.model(), folder, Map.of());
      assertThat(outputs.get("a").values()).containsExactly(small.values());
      assertThat(outputs.get("b").values()).containsExactly(big.values());
      assertThat(outputs.get("c").values()).containsExactly(big.values());
    }
  }

  private static Graph graph(Parameters weights, WeightFile file, Precision precision) {
    Graph graph = new Graph("test");
    OnnxOps ops = new OnnxOps(graph, weights, file, precision);
    graph.output("a", ops.toFloat(ops.parameter("small", 1023)), 1023);
    graph.output("b", ops.toFloat(ops.parameter("big", 1024)), 1024);
    graph.output("c", ops.constant(weights.floats().get("big").values(), 1024), 1024);
    return graph;
  }

  @Test
  void weightBeyondFp16_isRefusedByName() {
    Parameters weights =
        new Parameters(Map.of("w", new Floats(new float[] {1, -65505, Float.NaN}, 3)));
    assertThatThrownBy(
            () ->
                new OnnxOps(
                        new Graph("g"),
                        weights,
                        WeightFile.create(folder.resolve("w")),
                        Precision.FP16)
                    .parameter("w", 3))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage("weight w holds -65505.0, beyond fp16's 65504.0; export with `precision` fp32");
  }
}
