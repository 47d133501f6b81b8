package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole pipeline's folder, exported by one command, draws prompts; 12 tokens of each. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GenerateFromPromptTest {
  private static final String LONG = "A small red lantern waits beside the old bridge at dawn.";

  private Path folder;

  @BeforeAll
  void export(@TempDir Path shared) throws IOException {
    folder = shared;
    PipelineFolder.in(folder.resolve("pixart"))
        .withScheduler("'_class_name': 'DPMSolverMultistepScheduler'");
    Invocation policy =
        Invocation.of(
            "policy",
            "fora",
            "--checkpoint",
            folder.resolve("pixart").toString(),
            "--sampler",
            "ddim",
            "--steps",
            "2",
            "--out",
            folder.resolve("fora.json").toString());
    assertThat(policy.err()).isEmpty();
    export("--checkpoint DIR/pixart --text-tokens 12 --router DIR/fora.json");
    export("--checkpoint DIR/pixart --model-name bare --text-encoder none --force");
    Files.writeString(folder.resolve("prompts.txt"), "a red lantern\n\n  an old bridge \n");
    Files.writeString(folder.resolve("blank.txt"), "\n  \n");
    Files.write(folder.resolve("latin.txt"), new byte[] {'a', (byte) 0xe4, '\n'});
  }

  private void export(String line) {
    List<String> args = words(line + " --model-repository DIR/models");
    Invocation done =
        Invocation.run(
            console ->
                HarmonicaExport.run(args.toArray(String[]::new), console.out(), console.err()));
    assertThat(done.err()).isEmpty();
  }

  private List<String> words(String line) {
    return Arrays.stream(line.strip().split(" +"))
        .map(word -> word.replace("DIR", folder.toString()).replace('_', ' '))
        .toList();
  }

  private Invocation run(String line) {
    List<String> args = new ArrayList<>(List.of("generate", "--model-repository"));
    args.addAll(words("DIR/models " + line));
    return Invocation.of(args.toArray(String[]::new));
  }

  @Test
  void prompts_becomePictures() {
    Invocation done =
        run("--model pixart --steps 2 --prompt a_red_lantern --prompt A_bridge --out DIR/two");
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).startsWith("2 pictures in ");
    assertThat(folder.resolve("two/0001-text1.png")).exists();
    Invocation file =
        run(
            "--model pixart --steps 2 --prompts DIR/prompts.txt --negative-prompt x --out DIR/file");
    assertThat(file.err()).isEmpty();
    assertThat(file.out()).startsWith("2 pictures in ");
  }

  @Test
  void series_ofOtherTexts_isNotMixedWithThose() {
    String line = "--model pixart --steps 1 --count 2 --out DIR/series ";
    assertThat(run(line + "--prompt a_lantern").out()).startsWith("2 pictures in ");
    assertThat(run(line + "--prompt a_lantern").out()).contains("2 were there");
    for (String other : List.of("--prompt a_bridge", "--prompt a_lantern --negative-prompt x")) {
      Invocation refused = run(line + other);
      assertThat(refused.code()).isEqualTo(1);
      assertThat(refused.err()).contains("holds pictures of another run").hasLineCount(1);
    }
  }

  @Test
  void longPrompt_isCut_withAWarningThatQuotesTheRest() {
    Invocation done =
        run("--model pixart --steps 1 --out DIR/long --prompt " + LONG.replace(' ', '_'));
    assertThat(done.code()).isZero();
    assertThat(done.err())
        .matches(
            "warning: the model takes 12 tokens of a text, and this one has more: dropped"
                + " '[a-z ]+ dawn\\.'\n");
  }

  @Test
  void compare_drawsTexts_andJudgesDecodedPixels() throws IOException {
    List<String> words = new ArrayList<>(List.of("compare", "--model-repository"));
    words.addAll(
        words(
            "DIR/models --model pixart --a steps=2 --b steps=1 --c steps=2 --rounds 1 --warm-up 0"
                + " --prompts DIR/prompts.txt --json DIR/compare.json --report DIR/compare.html"));
    Invocation done = Invocation.of(words.toArray(String[]::new));
    assertThat(done.code()).isZero();
    assertThat(done.err()).doesNotContain("error").doesNotContain("No PSNR");
    JsonNode variants =
        new ObjectMapper().readTree(folder.resolve("compare.json").toFile()).path("variants");
    assertThat(variants.path(1).path("psnr").asDouble()).isBetween(1.0, 99.0);
    assertThat(variants.path(2).path("ssim").asDouble()).isEqualTo(1);
    assertThat(Files.readString(folder.resolve("compare.html"))).contains("data:image/png");
  }

  @Test
  void compare_startsFromLatents() throws IOException {
    for (int rows = 2; rows <= 3; rows++) {
      float[] values = new float[rows * 4 * 8 * 8];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) Math.sin(i);
      }
      write("start" + rows, Floats.of(values, rows, 4, 8, 8));
    }
    write("small", Floats.of(new float[2 * 4 * 8 * 4], 2, 4, 8, 4));
    double seeded = psnr("");
    assertThat(psnr("--latents DIR/start2.safetensors"))
        .isEqualTo(psnr("--latents DIR/start2.safetensors --seed 5"))
        .isNotEqualTo(seeded);
    assertThat(compare("--latents DIR/start3.safetensors").err())
        .startsWith("error: --latents has 3 rows for 2 subjects, expected as many")
        .hasLineCount(1);
    assertThat(compare("--latents DIR/small.safetensors").err())
        .startsWith("error: --latents are [4, 8, 4] a row, model pixart takes [4, 8, 8]")
        .hasLineCount(1);
  }

  private void write(String name, Floats latents) {
    SafetensorsWriter.write(folder.resolve(name + ".safetensors"), Map.of("latents", latents));
  }

  private Invocation compare(String line) {
    List<String> words = new ArrayList<>(List.of("compare", "--model-repository"));
    words.addAll(
        words(
            "DIR/models --model pixart --a steps=2 --b steps=1 --rounds 1 --warm-up 0"
                + " --prompts DIR/prompts.txt --json DIR/latents.json "
                + line));
    return Invocation.of(words.toArray(String[]::new));
  }

  private double psnr(String line) throws IOException {
    assertThat(compare(line).code()).isZero();
    JsonNode json = new ObjectMapper().readTree(folder.resolve("latents.json").toFile());
    return json.at("/variants/1/psnr").asDouble();
  }

  @Test
  void text_isEmbeddedOnce() {
    List<String> warnings = new ArrayList<>();
    try (Pipeline pipeline = Pipeline.open(folder.resolve("models"), "pixart")) {
      Content.Texts first = pipeline.prompts(List.of(LONG, "a bridge", LONG), "", warnings::add);
      assertThat(warnings).hasSize(1);
      assertThat(first.positive().count()).isEqualTo(3);
      Content.Texts again = pipeline.prompts(List.of(LONG), "", warnings::add);
      assertThat(warnings).hasSize(1); // not looked at again
      Embeddings all = first.positive();
      int size = all.tokens() * all.width();
      assertThat(again.positive().values())
          .isEqualTo(Arrays.copyOf(all.values(), size))
          .isEqualTo(Arrays.copyOfRange(all.values(), 2 * size, 3 * size))
          .isNotEqualTo(Arrays.copyOfRange(all.values(), size, 2 * size));
      assertThat(again.negative().orElseThrow().mask()).startsWith(1, 0);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | --model pixart                                 | missing --classes 0,1,2, --prompt TEXT, --prompts FILE, --text-embeddings FILE or --pictures N
          2 | --model pixart --prompt a --prompts DIR/x      | --prompt and --prompts exclude each other
          2 | --model pixart --classes 1 --negative-prompt a | --negative-prompt has no effect without --prompt or --prompts
          1 | --model pixart --classes 1                     | model pixart takes texts, not classes: use --prompt
          1 | --model bare --classes 1                       | model bare takes texts, not classes: use --text-embeddings
          1 | --model bare --prompt a                        | model bare has no text encoder: export it with --text-encoder and --tokenizer, or give embedded texts with --text-embeddings
          1 | --model pixart --prompt a --router fora --sampler sa-solver | router fora was made for sampler ddim, not sa-solver: use --sampler ddim, or another router
          1 | --model pixart --prompts DIR/none.txt          | cannot read --prompts
          1 | --model pixart --prompts DIR/blank.txt         | blank.txt holds no text, expected one a line
          1 | --model pixart --prompts DIR/latin.txt         | latin.txt is no UTF-8 text: save it as such, a text a line
          """)
  void badInput_isOneLine(int code, String line, String message) {
    Invocation refused = run(line + " --steps 2 --out DIR/bad");
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.err()).startsWith("error: ").contains(message).hasLineCount(1);
    assertThat(folder.resolve("bad")).doesNotExist();
  }
}
