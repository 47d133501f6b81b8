package io.harmonica.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.harmonica.HarmonicaException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices by name, and what is said where libtorch or a device is missing. */
class DeviceTest {
  @TempDir Path folder;

  @Test
  void cpu_isThere_withAThreadAProcessor() {
    assertThat(Device.of("cpu")).hasToString("cpu");
    assertThat(torch.get_num_threads()).isEqualTo(Runtime.getRuntime().availableProcessors());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:1234"})
  void anotherName_isRefused(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Device.of(name))
        .withMessage("device is '%s', expected cpu, cuda or cuda:N", name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuda", "cuda:7"})
  void cuda_withoutItsNatives_namesTheProfile(String name) {
    assumeFalse(Libtorch.hasNatives("-gpu"), "built with -Dtorch=gpu");
    assertThatExceptionOfType(HarmonicaException.class)
        .isThrownBy(() -> Device.of(name))
        .withMessage(
            "device %s needs libtorch for GPUs, and the class path has it for the CPU: build with the Maven profile torch-gpu (HARMONICA_TORCH=gpu, or ./mvnw package -Dtorch=gpu), or take cpu"
                .formatted(name));
  }

  @Test
  void ownProcess_works() throws Exception {
    assertThat(fork(jar -> true, "cpu")).isEqualTo("square 9.0");
  }

  /** As a build with -Dtorch=none leaves it. */
  @Test
  void withoutNatives_oneLineNamesTheProfiles() throws Exception {
    assertThat(fork(jar -> !jar.matches("pytorch-.*-linux-x86_64(-gpu)?\\.jar"), "cpu"))
        .startsWith("error: training needs libtorch, and its natives are not on the class path")
        .contains("torch-cpu", "torch-gpu", "org.bytedeco:pytorch");
  }

  /** As a project has it that depends on the jar alone. */
  @Test
  void withoutAnyOfBytedeco_oneLineNamesTheLibrary() throws Exception {
    assertThat(fork(jar -> !jar.matches("(pytorch|javacpp|openblas|mkl|cuda)-.*\\.jar"), "cpu"))
        .startsWith("error: training needs org.bytedeco:pytorch, which is not on the class path: ");
  }

  @Test
  void withoutBlas_theReasonIsGiven() throws Exception {
    assertThat(
            fork(
                jar -> !jar.matches("(mkl|openblas)-.*-linux-x86_64.*\\.jar"),
                "cpu",
                "-Dorg.bytedeco.javacpp.cachedir=" + folder))
        .startsWith("error: libtorch does not load (");
  }

  @Test
  void onAnotherPlatform_oneLineSaysSo() throws Exception {
    assertThat(fork(jar -> true, "cpu", "-Dos.arch=aarch64"))
        .isEqualTo(
            "error: training needs libtorch, which is set up for Linux x86_64 only, and this is Linux aarch64: train there; everything else works here");
  }

  /** Runs {@link OpenTorch} on the part of this class path whose file names fit. */
  private static String fork(Predicate<String> jars, String device, String... options)
      throws IOException, InterruptedException {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> jars.test(Path.of(entry).getFileName().toString()))
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", classPath, OpenTorch.class.getName(), device));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
