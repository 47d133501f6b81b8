package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.HarmonicaException;
import io.harmonica.runtime.OnnxFile.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxFileTest {
  @TempDir Path folder;

  private Path file() throws IOException {
    TinyGraph graph =
        new TinyGraph()
            .input("x", DataType.FLOAT, -1, 2)
            .output("sum", DataType.FLOAT, -1, 2)
            .output("shape", DataType.INT64, 2)
            .floats("one", List.of(1L), 1)
            .node("sum", "Add", "x", "one")
            .node("shape", "Shape", "x");
    return Files.write(folder.resolve("graph.onnx"), graph.model().toByteArray());
  }

  @Test
  void run_givesTheValuesOfTheWantedOutputs() throws IOException {
    try (OnnxFile file = OnnxFile.open(file())) {
      Values x = new Values(new float[] {1, 2, 3, 4, 5, 6}, new long[] {3, 2});
      Values sum = file.run("x", x, Set.of("sum")).get("sum");
      assertThat(sum.values()).containsExactly(2, 3, 4, 5, 6, 7);
      assertThat(sum.shape()).containsExactly(3, 2);
    }
  }

  @Test
  void inputsAndOutputs_areThoseOfFp32() throws IOException {
    try (OnnxFile file = OnnxFile.open(file())) {
      assertThat(file.inputs()).containsOnlyKeys("x");
      assertThat(file.inputs().get("x")).containsExactly(-1, 2);
      assertThat(file.outputs()).containsOnlyKeys("sum");
    }
  }

  @Test
  void run_thatFails_namesTheFile() throws IOException {
    Path path = file();
    try (OnnxFile file = OnnxFile.open(path)) {
      Values wrong = new Values(new float[3], new long[] {1, 3});
      assertThatThrownBy(() -> file.run("x", wrong, Set.of("sum")))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(path + " failed in ONNX Runtime: ")
          .hasMessageNotContaining("\n");
    }
  }

  @Test
  void open_ofNoFile_saysSo() {
    assertThatThrownBy(() -> OnnxFile.open(folder.resolve("none.onnx")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage("no ONNX file at %s: check the path", folder.resolve("none.onnx"));
  }
}
