package io.harmonica.runtime;

import static ai.onnx.proto.OnnxMl.TensorProto.DataType.FLOAT;
import static io.harmonica.repository.proto.DataType.TYPE_FP32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("openvino")
class OpenVinoRuntimeTest extends RuntimeContract {

  @Override
  protected Runtime open(Path repository) {
    return EmbeddedRuntime.open(repository, Backend.of(Plugins.openVino()));
  }

  private static Device openVino(String options) {
    return Device.parse(Plugins.openVino().name() + options);
  }

  /** OpenVINO gathers without looking at the index: who asks has to, as Admission and export do. */
  @Test
  @Override
  protected void infer_thatFailsInside_namesTheModel_andLeavesTheRuntimeUsable() {
    try (Runtime runtime = open(repository);
        Tensor label = runtime.tensor(LongBuffer.wrap(new long[] {99}), 1, 1); // of 3
        Tensor scale = runtime.tensor(FloatBuffer.wrap(new float[] {1}), 1, 1);
        Tensor row =
            runtime
                .infer("labels", Map.of("label", label, "scale", scale), Set.of("row"))
                .get("row")) {
      assertThat(row.shape()).containsExactly(1, 2);
    }
    infer_ofEngine_givesValuesInBatchFirstShape();
  }

  @Test
  void description_saysWhatComputes_andInWhat() {
    assertThat(Backend.of(Plugins.openVino()).description())
        .matches("ONNX Runtime 1\\.26\\.\\d+ with OpenVINO 1\\.8\\.1 on CPU in f32");
  }

  @Test
  void devices_listTheProcessorAndThePlugins() {
    Plugins.openVino();
    List<Devices.Found> found = Devices.list(List.of());
    assertThat(found).extracting(Devices.Found::name).contains("cpu", "openvino", "tensorrt-rtx");
    Devices.Found openVino =
        found.stream().filter(one -> one.name().equals("openvino")).findFirst().orElseThrow();
    assertThat(openVino.fault()).isEmpty();
    assertThat(openVino.vendor()).isEqualTo("Intel");
    assertThat(openVino.software()).isEqualTo("OpenVINO 1.8.1");
    assertThat(openVino.precision()).isEqualTo(processorHasBf16() ? "bf16" : "f32");
  }

  private static boolean processorHasBf16() {
    try {
      return Files.readString(Path.of("/proc/cpuinfo"))
          .matches("(?s).*\\b(avx512_bf16|amx_bf16)\\b.*");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** It would be computed all the same, 25 times slower than f32. */
  @Test
  void bf16_onAProcessorWithout_isRefused() {
    assumeThat(processorHasBf16()).isFalse();
    assertThatThrownBy(() -> Backend.of(openVino(",precision=bf16")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("device openvino cannot compute in bf16 on ")
        .hasMessageContainingAll("FP32", "leave precision out, or say f32");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ,precision=f64                    | device openvino: precision is 'f64', expected bf16, f16 or f32
          ,rubbish=1                        | device openvino has no option 'rubbish': it takes precision
          ,fallback=gpu                     | device openvino: fallback is 'gpu', expected cpu
          ,ov_device=XPU                    | device openvino: nothing on this machine has {ov_device=XPU}, it finds OpenVINO with {ov_device=CPU}: choose one of these
          ,load_config={},threads=1         | device openvino: load_config excludes other options, found load_config, threads: put them into it
          """)
  void option_thatCannotBe_isRefused(String options, String message) {
    Device device = openVino(options);
    assertThatThrownBy(() -> Backend.of(device))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(message);
  }

  /** What OpenVINO itself refuses comes when the first engine loads. */
  @Test
  void property_thatOpenVinoLacks_isRefusedInOneLine_withARemedy() {
    try (Runtime runtime = EmbeddedRuntime.open(repository, Backend.of(openVino(",RUBBISH=1")));
        Tensor x = runtime.tensor(FloatBuffer.wrap(new float[3]), 1, 3)) {
      assertThatThrownBy(() -> runtime.infer("affine", Map.of("x", x), Set.of("y")))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "device openvino cannot run model 'affine': NotFound: Unsupported property RUBBISH by CPU plugin.; use `device` cpu, or add ,fallback=cpu to have the CPU do what it cannot");
    }
  }

  /** OpenVINO has no determinants: the CPU takes them, where it may. */
  @Test
  void engine_thatItDoesNotTakeWhole_isRefused_unlessTheCpuMayDoTheRest(@TempDir Path folder)
      throws IOException {
    writeDeterminant(folder);
    float[] matrix = {1, 2, 3, 4};
    try (Runtime strict = EmbeddedRuntime.open(folder, Backend.of(Plugins.openVino()));
        Tensor x = strict.tensor(FloatBuffer.wrap(matrix), 1, 2, 2)) {
      assertThatThrownBy(() -> strict.infer("determinant", Map.of("x", x), Set.of("y")))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("device openvino cannot run model 'determinant': ")
          .hasMessageEndingWith("or add ,fallback=cpu to have the CPU do what it cannot");
    }
    Backend lenient = Backend.of(openVino(",fallback=cpu"));
    assertThat(lenient.description()).endsWith(", what it cannot do on the CPU");
    try (Runtime runtime = EmbeddedRuntime.open(folder, lenient);
        Tensor x = runtime.tensor(FloatBuffer.wrap(matrix), 1, 2, 2);
        Tensor y = runtime.infer("determinant", Map.of("x", x), Set.of("y")).get("y")) {
      assertThat(values(y)[0]).isCloseTo(-4, within(1e-5f)); // twice the determinant
    }
  }

  /** y = det(x + x) / 2. */
  private static void writeDeterminant(Path repository) throws IOException {
    ModelRepository.write(
        repository,
        ModelRepository.engine("determinant", 0)
            .addInput(ModelRepository.input("x", TYPE_FP32, 1, 2, 2))
            .addOutput(ModelRepository.output("y", TYPE_FP32, 1)),
        new TinyGraph()
            .input("x", FLOAT, 1, 2, 2)
            .floats("half", List.of(), 0.5f)
            .node("doubled", "Add", "x", "x")
            .node("determinants", "Det", "doubled")
            .node("y", "Mul", "determinants", "half")
            .output("y", FLOAT, 1)
            .model());
  }
}
