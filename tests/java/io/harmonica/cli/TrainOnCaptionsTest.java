package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code train}, and {@code calibrate}, on a whole PixArt pipeline. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TrainOnCaptionsTest {
  private Path folder;

  @BeforeAll
  void pipeline(@TempDir Path shared) throws IOException {
    folder = shared;
    PipelineFolder.in(folder.resolve("pixart"))
        .withScheduler("'_class_name': 'DPMSolverMultistepScheduler'");
    PipelineFolder.in(folder.resolve("mute")).without("text_encoder");
    Files.writeString(folder.resolve("captions.txt"), "a red lantern\nan old bridge\n");
    Files.writeString(folder.resolve("others.txt"), "a red lantern\n");
    Files.writeString(folder.resolve("long.txt"), "lantern bridge dawn ".repeat(40) + "\nshort\n");
  }

  private Invocation train(String checkpoint, String line) {
    List<String> words = new ArrayList<>(List.of("train", "--checkpoint", checkpoint));
    words.addAll(List.of("--steps", "3", "--iterations", "1", "--batch", "1"));
    words.addAll(Arrays.asList(line.strip().split(" +")));
    return run(words);
  }

  private Invocation run(String line) {
    return run(Arrays.asList(line.split(" +")));
  }

  private Invocation run(List<String> words) {
    return Invocation.of(
        words.stream().map(word -> word.replace("DIR", folder.toString())).toArray(String[]::new));
  }

  @Test
  void captions_trainARouter_forThePipelinesSampler() {
    Invocation done = train("DIR/pixart", "--captions DIR/captions.txt --out DIR/r.json");
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    Router router = Router.read(folder.resolve("r.json"));
    assertThat(router.sampler()).isEqualTo("dpm-solver++");
    assertThat(router.branches()).contains("block00.cross_attention");
    assertThat(router.training().path("guidance").asDouble()).isEqualTo(4.5);
    assertThat(router.training().path("captions").asInt()).isEqualTo(2);
    Invocation other =
        train(
            "DIR/pixart",
            "--captions DIR/others.txt --resume DIR/r.state.json --out DIR/other.json");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err()).contains("captions").hasLineCount(1);
  }

  @Test
  void resolution_isTheRoutersOwn() {
    Invocation done =
        train("DIR/pixart", "--captions DIR/captions.txt --resolution 64x96 --out DIR/wide.json");
    assertThat(done.err()).isEmpty();
    Router wide = Router.read(folder.resolve("wide.json"));
    assertThat(wide.training().path("resolution").asText()).isEqualTo("64x96");
    Invocation other =
        train(
            "DIR/pixart",
            "--captions DIR/captions.txt --resume DIR/wide.state.json --out DIR/square.json");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err())
        .contains("was trained with resolution 64x96, not 16x16: give the same options")
        .hasLineCount(1);
  }

  /** What maps read is another thing at another size. */
  @Test
  void calibration_goesOnAtItsOwnResolutionOnly() {
    String line =
        "calibrate --checkpoint DIR/pixart --captions DIR/captions.txt --steps 2 --batch 1 ";
    Invocation wide = run(line + "--resolution 64x96 --pictures 1 --out DIR/w.safetensors");
    assertThat(wide.code()).as(wide.err()).isZero();
    String more = "--pictures 2 --resume DIR/w.safetensors --out DIR/more.safetensors";
    Invocation square = run(line + more);
    assertThat(square.code()).isEqualTo(1);
    assertThat(square.err())
        .contains("was observed with resolution 64x96, not 16x16: give the same options")
        .hasLineCount(1);
    assertThat(run(line + "--resolution 64x96 " + more).code()).isZero();
  }

  @Test
  void learningToCache_takesCaptionsToo() {
    Invocation done =
        train(
            "DIR/pixart",
            "--captions DIR/captions.txt --objective ltc --target-speedup 1.2 --out DIR/l.json");
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
  }

  @Test
  void longCaption_isCut_withAWarning() {
    Invocation done = train("DIR/pixart", "--captions DIR/long.txt --out DIR/long.json");
    assertThat(done.code()).isZero();
    assertThat(done.err())
        .startsWith("warning: the model takes 120 tokens of a text, and this one has more: dropped")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | DIR/pixart         | --seed 1                                | missing --captions FILE or --text-embeddings FILE
          2 | DIR/pixart         | --captions a --text-embeddings b        | --captions and --text-embeddings exclude each other
          2 | DIR/pixart         | --text-embeddings b --tokenizer DIR     | --tokenizer has no effect with --text-embeddings
          2 | DIR/pixart         | --captions DIR/captions.txt --resolution 64 | --resolution '64' is no size, expected HEIGHTxWIDTH
          1 | DIR/pixart         | --captions DIR/captions.txt --resolution 64x90 | --resolution 64x90 does not fit the model
          1 | tests/golden/dit   | --resolution 640x64                     | a DiT has the size that it was trained for
          2 | tests/golden/dit   | --captions a                            | --captions has no effect on a DiT-3x32/2, which takes class labels
          1 | DIR/mute           | --captions DIR/captions.txt             | mute/tokenizer has no use without a text encoder: name one with --text-encoder
          1 | tests/golden/pixart/alpha-256-like | --captions DIR/captions.txt | --captions need a text encoder and its tokenizer, and the checkpoint's pipeline has none
          1 | DIR/pixart         | --captions DIR/none.txt                 | cannot read --captions
          1 | tests/golden/pixart/alpha-256-like | --captions DIR/captions.txt --text-encoder DIR/pixart/text_encoder | embeds tokens 24 wide, and the transformer takes 20
          """)
  void badInput_isOneLine(int code, String checkpoint, String line, String message) {
    Invocation refused = train(checkpoint, line + " --out DIR/bad.json");
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.err()).startsWith("error: ").contains(message).hasLineCount(1);
    assertThat(folder.resolve("bad.json")).doesNotExist();
  }
}
