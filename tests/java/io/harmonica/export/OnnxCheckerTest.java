package io.harmonica.export;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Package onnx's own loader and checker, the strictest readers of data beside an ONNX file. */
class OnnxCheckerTest {
  @TempDir Path folder;

  private record Answer(int code, String said) {}

  private static Answer check(String... arguments) throws Exception {
    Process checker =
        new ProcessBuilder(
                Stream.concat(Stream.of("tests/onnx/check.sh"), Stream.of(arguments)).toList())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(checker.getInputStream().readAllBytes(), UTF_8);
    return new Answer(checker.waitFor(), said);
  }

  private Answer check(ExportOptions options) throws Exception {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      var routers = List.of(Exports.staggered("r", model, 6, 3, Reuse.LINEAR));
      new Exporter(model, routers, options)
          .withWholePictures(List.of("none", "r"))
          .export(repository);
    }
    return check(repository.toString());
  }

  @Test
  void variantsOfBlocks_pass() throws Exception {
    Answer answer = check(ExportOptions.of("dit"));
    assertThat(answer.said()).matches("[1-3]\\d engines, 0 faults\n");
    assertThat(answer.code()).isZero();
  }

  @Test
  void variantsOfWholeSteps_pass() throws Exception {
    Answer answer = check(ExportOptions.of("dit").withBlocksPerEngine(0));
    assertThat(answer.said()).matches("1?\\d engines, 0 faults\n");
    assertThat(answer.code()).isZero();
  }

  /**
   * bf16 has 8 bits of fp32's 24: of FLUX's rotation, of a convolution beside it, a step differs by
   * 1.2 %. What computes is the definition of ONNX, as no runtime here has kernels for it.
   */
  @ParameterizedTest
  @ValueSource(strings = {"flux/dev", "sd3/sd35-medium"})
  void bf16_passes_andComputesWhatFp32Does(String golden) throws Exception {
    ExportOptions fp32 = ExportOptions.of("model");
    ExportOptions bf16 =
        new ExportOptions("model", Precision.BF16, ExportOptions.Platform.TENSORRT, 1, 16, false);
    List<String> repositories = new ArrayList<>();
    for (ExportOptions options : List.of(fp32, bf16)) {
      Path repository = folder.resolve(options.precision().word());
      try (Checkpoint checkpoint = Golden.open(golden)) {
        Choices choices = Choices.NONE.withTextTokens(9).withResolution(new Resolution(48, 80));
        new Exporter(Model.of(checkpoint, choices), List.of(), options).export(repository);
      }
      repositories.add(repository.toString());
    }
    assertThat(check(repositories.get(1)).said()).matches("\\d+ engines, 0 faults\n");
    Answer apart = check(repositories.get(0), repositories.get(1), "model");
    assertThat(apart.code()).isZero();
    assertThat(Double.parseDouble(apart.said())).isBetween(1e-3, 0.03);
  }

  /** What the option's text says; and that the checker would have told. */
  @Test
  void hardLinks_areRefused() throws Exception {
    Answer answer = check(ExportOptions.of("dit").withHardLinks(true));
    assertThat(answer.said()).contains("hard links");
    assertThat(answer.code()).isEqualTo(1);
  }
}
