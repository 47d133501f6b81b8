package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Trees;
import io.harmonica.onnx.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The script {@code export/build-engines.sh}. The real trtexec needs an NVIDIA GPU; a script stands
 * in for it, which notes what it is called with and writes a plan, or fails, as trtexec does.
 */
class BuildEnginesTest {
  private static final String TRTEXEC =
      """
      #!/bin/bash
      if [[ $1 == --help ]]; then
        for option in $OPTIONS; do echo "  $option    [a word or two]"; done
        exit
      fi
      echo "$@" >> CALLS
      for argument; do
        [[ " $OPTIONS " == *" ${argument%%=*} "* ]] || { echo "Unknown option: $argument"; exit 1; }
        case $argument in
          --onnx=*) [[ -f ${argument#*=} ]] || exit 9 ;;
          --saveEngine=*) plan=${argument#*=} ;;
        esac
      done
      echo "[E] a long story"
      if [[ $plan == *"$FAIL_ON"* ]]; then echo half > "$plan"; exit 3; fi
      if [[ $plan != *"$SILENT_ON"* ]]; then echo "plan of $plan" > "$plan"; fi
      """;
  private static final String NEVER = "(none)";

  /** What every release's {@code --help} tells, of what is used here. */
  private static final String COMMON =
      "--onnx --saveEngine --skipInference --minShapes --optShapes --maxShapes --noTF32"
          + " --builderOptimizationLevel";

  private static final String TENSORRT_10 = COMMON + " --fp16 --stronglyTyped";
  private static final List<String> ENGINES =
      List.of(
          "dit-block00-cc",
          "dit-block01-cc",
          "dit-block02-cc",
          "dit-condition",
          "dit-embed",
          "dit-head");

  @TempDir Path folder;
  private Path repository;
  private Path trtexec;
  private Path calls;

  private record Run(int code, String out, String err) {}

  @BeforeEach
  void export() throws IOException {
    repository =
        Exports.export(
            Checkpoints.DIT,
            OptionalInt.empty(),
            List.of(),
            new ExportOptions("dit", Precision.FP16, ExportOptions.Platform.TENSORRT, 1, 8, false),
            folder.resolve("my models"));
    calls = folder.resolve("calls");
    trtexec = Files.createDirectory(folder.resolve("bin")).resolve("trtexec");
    Files.writeString(trtexec, TRTEXEC.replace("CALLS", calls.toString()));
    Files.setPosixFilePermissions(trtexec, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Runs the script with the stand-in on PATH, which fails for the one and skips the other. */
  private Run run(String failOn, String silentOn, Object... arguments) throws Exception {
    return runWith(TENSORRT_10, failOn, silentOn, arguments);
  }

  private Run runWith(String options, String failOn, String silentOn, Object... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(List.of("export/build-engines.sh"));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PATH", trtexec.getParent() + ":/usr/bin:/bin");
    builder.environment().put("OPTIONS", options);
    builder.environment().put("FAIL_ON", failOn);
    builder.environment().put("SILENT_ON", silentOn);
    builder.environment().remove("TRTEXEC");
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), out, err);
  }

  private List<String> calls() throws IOException {
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  private Path plan(String engine) {
    return repository.resolve(engine).resolve("1/model.plan");
  }

  @Test
  void run_buildsEveryEngine_asItsConfigurationSays() throws Exception {
    Run done = run(NEVER, NEVER, repository, "--", "--builderOptimizationLevel=5", "--noTF32");
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    assertThat(done.out())
        .isEqualTo(
            "building "
                + String.join("\nbuilding ", ENGINES)
                + "\nplans of "
                + repository
                + ": built 6, kept 0\n");
    Path head = repository.resolve("dit-head/1");
    assertThat(calls()).hasSize(6);
    assertThat(calls().get(5))
        .isEqualTo(
            "--onnx=%s/model.onnx --saveEngine=%s/.model.plan.partial --stronglyTyped --skipInference --minShapes=hidden:1x16x32,head.modulation:1x2x32 --optShapes=hidden:2x16x32,head.modulation:2x2x32 --maxShapes=hidden:8x16x32,head.modulation:8x2x32 --builderOptimizationLevel=5 --noTF32"
                .formatted(head, head));
    for (String engine : ENGINES) {
      assertThat(plan(engine)).content().startsWith("plan of ");
    }
    assertThat(Trees.of(repository).keySet())
        .noneMatch(path -> path.endsWith(".partial") || path.endsWith(".log"))
        .doesNotContain("dit/1/model.plan"); // an ensemble has none
  }

  /** TensorRT 11 has the flag, as a word without meaning; it may go, as --fp16 went. */
  @ParameterizedTest
  @CsvSource({"--stronglyTyped, true", "--useCudaGraph, false"})
  void run_ofTensorRt11_asksForTheGraphsTypes_whereItHasTheFlag(String more, boolean asks)
      throws Exception {
    Run done = runWith(COMMON + " " + more, NEVER, NEVER, repository);
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).endsWith("built 6, kept 0\n");
    assertThat(calls()).hasSize(6).allMatch(call -> call.contains(" --stronglyTyped ") == asks);
  }

  @Test
  void trtexec_thatWouldChooseTypesItself_orIsNone_isRefused() throws Exception {
    Run old = runWith(COMMON + " --fp16", NEVER, NEVER, repository);
    assertThat(old.code()).isEqualTo(1);
    assertThat(old.err())
        .isEqualTo(
            "error: "
                + trtexec
                + " is of a TensorRT before 10, which does not keep to the graphs' types: set TRTEXEC to one of 10 or 11\n");
    Run other = runWith("--verbose", NEVER, NEVER, repository);
    assertThat(other.err())
        .isEqualTo(
            "error: "
                + trtexec
                + " --help does not tell its options, as trtexec does: set TRTEXEC to TensorRT's trtexec\n");
    assertThat(calls()).isEmpty();
  }

  @Test
  void run_again_buildsOnlyWhatIsOlderThanItsGraph() throws Exception {
    run(NEVER, NEVER, repository);
    Run again = run(NEVER, NEVER, repository + "/");
    assertThat(again.out()).isEqualTo("plans of " + repository + ": built 0, kept 6\n");
    FileTime past = FileTime.fromMillis(0);
    Files.setLastModifiedTime(plan("dit-embed"), past);
    assertThat(run(NEVER, NEVER, repository).out())
        .isEqualTo("building dit-embed\nplans of " + repository + ": built 1, kept 5\n");
    assertThat(calls()).hasSize(7);
  }

  @Test
  void failure_isOneLine_andTheNextRunGoesOn() throws Exception {
    Run failed = run("block01", NEVER, repository);
    Path log = repository.resolve("dit-block01-cc/1/trtexec.log");
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .isEqualTo("error: trtexec failed (3) on dit-block01-cc: see " + log + "\n");
    assertThat(log).hasContent("[E] a long story");
    assertThat(plan("dit-block00-cc")).exists();
    assertThat(plan("dit-block01-cc")).doesNotExist();
    assertThat(Trees.of(repository).keySet()).noneMatch(path -> path.endsWith(".partial"));

    Run next = run(NEVER, NEVER, repository);
    assertThat(next.out()).startsWith("building dit-block01-cc\n").contains("built 5, kept 1");
    assertThat(log).doesNotExist();
  }

  @Test
  void success_withoutAPlan_isAFailure() throws Exception {
    Run failed = run(NEVER, "dit-head", repository);
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err()).startsWith("error: trtexec wrote no plan for dit-head: see ");
  }

  @Test
  void withoutTrtexec_saysWhatToDo() throws Exception {
    Files.delete(trtexec);
    Run failed = run(NEVER, NEVER, repository);
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .isEqualTo(
            "error: no trtexec at /usr/src/tensorrt/bin/trtexec: install TensorRT 10 or 11, or set TRTEXEC to its trtexec\n");
  }

  @Test
  void repositoryForOnnxRuntime_isRefused() throws Exception {
    Path other =
        Exports.export(
            Checkpoints.DIT,
            OptionalInt.empty(),
            List.of(),
            ExportOptions.of("dit"),
            folder.resolve("other"));
    Run failed = run(NEVER, NEVER, other);
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .isEqualTo(
            "error: %s has no engine for TensorRT: export it with --platform tensorrt\n"
                .formatted(other));
    assertThat(calls()).isEmpty();
  }

  @Test
  void wrongUsage_isSaid() throws Exception {
    assertThat(run(NEVER, NEVER))
        .isEqualTo(
            new Run(
                2,
                "",
                "error: missing REPOSITORY; usage: export/build-engines.sh REPOSITORY [-- TRTEXEC_FLAG...]\n"));
    assertThat(run(NEVER, NEVER, repository, "--fp16").err())
        .startsWith("error: unexpected argument '--fp16'; usage: ");
    assertThat(run(NEVER, NEVER, folder.resolve("none")).err())
        .isEqualTo(
            "error: %s is no folder, expected a model repository\n"
                .formatted(folder.resolve("none")));
  }
}
