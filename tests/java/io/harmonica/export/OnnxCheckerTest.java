package io.harmonica.export;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Package onnx's own loader and checker, the strictest readers of data beside an ONNX file. */
class OnnxCheckerTest {
  @TempDir Path folder;

  private record Answer(int code, String said) {}

  private Answer check(ExportOptions options) throws Exception {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      var routers = List.of(Exports.staggered("r", model, 6, 3, Reuse.LINEAR));
      new Exporter(model, routers, options)
          .withWholePictures(List.of("none", "r"))
          .export(repository);
    }
    Process checker =
        new ProcessBuilder("tests/onnx/check.sh", repository.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(checker.getInputStream().readAllBytes(), UTF_8);
    return new Answer(checker.waitFor(), said);
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

  /** What the option's text says; and that the checker would have told. */
  @Test
  void hardLinks_areRefused() throws Exception {
    Answer answer = check(ExportOptions.of("dit").withHardLinks(true));
    assertThat(answer.said()).contains("hard links");
    assertThat(answer.code()).isEqualTo(1);
  }
}
