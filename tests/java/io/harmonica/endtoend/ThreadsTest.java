package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.runtime.Backend;
import io.harmonica.runtime.EmbeddedRuntime;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process has one pool of threads, settled before it computes. */
class ThreadsTest {
  @TempDir Path folder;

  @Test
  void number_thatComesTooLate_isRefused() {
    Backend.cpu().description(); // makes the pool
    int there = Runtime.getRuntime().availableProcessors();
    EmbeddedRuntime.useThreads(there);
    assertThatThrownBy(() -> EmbeddedRuntime.useThreads(there + 1))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "this process computes on %d threads already, not %d: all its models share one pool; state the number before the first is opened",
            there, there + 1);
  }

  @Test
  void compare_tellsThem_andLatentsDoNotDependOnThem() throws Exception {
    Path repository =
        Exports.export(
            Checkpoints.DIT,
            OptionalInt.empty(),
            List.of(),
            ExportOptions.of("dit"),
            folder.resolve("models"));
    List<String> words =
        List.of("--model-repository", repository.toString(), "--model", "dit", "--steps", "3");
    List<String> compare = new ArrayList<>(List.of("compare"));
    compare.addAll(words);
    compare.addAll(List.of("--a", "none", "--b", "steps=2", "--rounds", "1", "--warm-up", "0"));
    compare.addAll(List.of("--threads", "3"));
    assertThat(harmonica(compare)).containsPattern("machine: .*ONNX Runtime [0-9.]+, 3 threads");
    List<byte[]> latents = new ArrayList<>();
    for (String threads : List.of("1", "3")) {
      Path file = folder.resolve("latents" + threads + ".safetensors");
      List<String> generate = new ArrayList<>(List.of("generate"));
      generate.addAll(words);
      generate.addAll(List.of("--classes", "0,1", "--threads", threads));
      generate.addAll(List.of("--save-latents", file.toString()));
      generate.addAll(List.of("--out", folder.resolve("out" + threads).toString()));
      harmonica(generate);
      latents.add(Files.readAllBytes(file));
    }
    assertThat(latents.get(0)).isEqualTo(latents.get(1));
  }

  @Test
  void onServers_theyAreNoneOfOurs() {
    for (List<String> option : List.of(List.of("--threads", "1"), List.of("--device", "cpu"))) {
      List<String> words = new ArrayList<>(List.of("generate", "--triton", "localhost:1"));
      words.addAll(List.of("--model", "m", "--classes", "0", "--out", folder.toString()));
      words.addAll(option);
      Invocation run = Invocation.of(words.toArray(String[]::new));
      assertThat(run.code()).isEqualTo(2);
      assertThat(run.err())
          .startsWith(
              "error: %s has no effect with --triton: its servers compute;"
                  .formatted(option.get(0)));
    }
  }

  /** A command line in a process of its own: this one has its pool. */
  private static String harmonica(List<String> words) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("io.harmonica.cli.Harmonica");
    command.addAll(words);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
