package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.runtime.Plugins;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Installing plugins, in processes with a folder of their own for them. */
@Tag("openvino")
class DeviceCommandTest {
  /** Of the plugin once it is installed. */
  private static final String STATUS =
      Plugins.openVinoHasDevice()
          ? "openvino: OpenVINO 1.8.1 \\(Intel\\) on .*, computes in (f32|bf16)"
          : "openvino: not usable: .* finds no device .*, it takes Intel's processors: run with";

  private static final String GENERATE =
      "generate --model-repository %s --model m --classes 0 --device openvino --out %s";

  @TempDir Path folder;

  private record Ended(int code, String out) {}

  private Ended harmonica(Map<String, String> environment, String... words) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("io.harmonica.cli.Harmonica");
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("HARMONICA_DEVICES", devices().toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Ended(process.waitFor(), said);
  }

  private Path devices() {
    return folder.resolve("devices");
  }

  @Test
  void openVino_isMissedByName_installedByPip_andThenListed() throws Exception {
    String library = devices() + "/openvino-1.8.1/libonnxruntime_providers_openvino_plugin.so";
    String missing =
        "device openvino is not installed, no %s: install it by bin/harmonica device install openvino"
            .formatted(library);
    Ended status = harmonica(Map.of(), "status");
    assertThat(status.code()).isZero();
    assertThat(status.out())
        .containsPattern("cpu: ONNX Runtime [0-9.]+.* on .*, computes in f32")
        .contains("openvino: not usable: " + missing);
    String words = GENERATE.formatted(folder, folder.resolve("out"));
    Ended generate = harmonica(Map.of(), words.split(" "));
    assertThat(generate).isEqualTo(new Ended(1, "error: " + missing + System.lineSeparator()));
    assertThat(folder.resolve("out")).doesNotExist();

    Ended install = harmonica(Map.of(), "device", "install", "openvino");
    assertThat(install.code()).as(install.out()).isZero();
    assertThat(install.out())
        .endsWith(
            "device openvino 1.8.1 installed in %s%n".formatted(Path.of(library).getParent()));
    assertThat(harmonica(Map.of(), "status").out()).containsPattern(STATUS);
    assertThat(harmonica(Map.of(), "device", "install", "openvino").out())
        .isEqualTo("device openvino 1.8.1 is installed already%n".formatted());
  }

  @Test
  void withoutPython_thePackageIsNamed_andInstalledFromItsFile() throws Exception {
    Map<String, String> offline = Map.of("PYTHON", folder.resolve("python").toString());
    Ended online = harmonica(offline, "device", "install", "openvino");
    assertThat(online.code()).isEqualTo(1);
    assertThat(online.out())
        .contains(
            "error: cannot get onnxruntime-ep-openvino 1.8.1 (no Python at '"
                + folder.resolve("python")
                + "'): name a Python with pip by PYTHON=..., or get the file on a machine with network"
                + " (pip download --no-deps onnxruntime-ep-openvino==1.8.1) and name it by --from");
    assertThat(devices()).doesNotExist();

    Path wheel = download();
    Ended install = harmonica(offline, "device", "install", "openvino", "--from", wheel.toString());
    assertThat(install.code()).as(install.out()).isZero();
    assertThat(harmonica(offline, "status").out()).containsPattern(STATUS);
    try (Stream<Path> files = Files.list(devices())) {
      assertThat(files).containsExactly(devices().resolve("openvino-1.8.1"));
    }
  }

  private Path download() throws IOException, InterruptedException {
    Process pip =
        new ProcessBuilder(
                ("python3 -m pip download -q --no-deps -d %s onnxruntime-ep-openvino==1.8.1"
                        .formatted(folder))
                    .split(" "))
            .inheritIO()
            .start();
    assertThat(pip.waitFor()).isZero();
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".whl")).findFirst().orElseThrow();
    }
  }

  @Test
  void otherWords_areRefused_withThoseThatAreKnown() {
    Invocation device = Invocation.of("device", "install", "openvio");
    assertThat(device.code()).isEqualTo(2);
    assertThat(device.err())
        .startsWith("error: DEVICE is 'openvio', expected openvino|tensorrt-rtx");
    Invocation action = Invocation.of("device", "remove", "openvino");
    assertThat(action.err()).startsWith("error: ACTION is 'remove', expected install");
  }
}
