package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Eventually;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.ExportOptions.Platform;
import io.harmonica.export.Exports;
import io.harmonica.onnx.Precision;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A server that lacks what the engines were exported for refuses them: here one without a GPU,
 * whose onnxruntime backend is without OpenVINO.
 */
@Tag("triton")
class AcceleratorsOnTritonTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ONNXRUNTIME_TENSORRT | has kind KIND_GPU but no GPUs are available
          ONNXRUNTIME_OPENVINO | unknown Execution Accelerator 'openvino' is requested
          """)
  void serverWithoutIt_refusesEveryEngine_andSaysWhy(Platform platform, String reason)
      throws Exception {
    ExportOptions options =
        new ExportOptions("dit", Precision.FP32, platform, 0, 8, /* force= */ false);
    Exports.export(Checkpoints.DIT, OptionalInt.empty(), List.of(), options, folder);
    try (TritonServer server = TritonServer.startDespiteFaults(folder)) {
      String index = "/v2/repository/index";
      Eventually.until("the engine is refused", () -> server.post(index).contains("UNAVAILABLE"));
      assertThat(server.post(index))
          .contains("\"name\":\"dit-step-", reason)
          .doesNotContain("READY");
    }
  }
}
