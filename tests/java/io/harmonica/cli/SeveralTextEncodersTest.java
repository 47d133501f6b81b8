package io.harmonica.cli;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.path;
import static io.harmonica.Sd3Folder.POOLED;
import static io.harmonica.Sd3Folder.TEXT_WIDTH;
import static io.harmonica.Sd3Folder.copy;
import static io.harmonica.Sd3Folder.some;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.Sd3Folder;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Prompt;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A model with several text encoders, from its pipeline's folder to pictures: Stable Diffusion 3
 * without its T5, whose embeddings are diffusers'.
 */
@Tag("golden")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SeveralTextEncodersTest {
  private static final int CLIP_TOKENS = 20;
  private static final String EXPORT =
      "--checkpoint DIR/sd3 --resolution 12x20 --text-tokens 26 --model-repository DIR/models";

  private Path folder;

  @BeforeAll
  void export(@TempDir Path shared) throws IOException {
    folder = shared;
    Sd3Folder.write(folder.resolve("sd3"));
    Invocation done = run(EXPORT);
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
  }

  private Invocation run(String line) {
    return Invocation.export(line.replace("DIR", folder.toString()).split(" "));
  }

  private static float[] rows(float[] values, int from, int to, int width) {
    return Arrays.copyOfRange(values, from * width, to * width);
  }

  @Test
  void embeddings_areDiffusers() {
    JsonNode golden = Golden.json("clip/sd3_prompt/prompt.json");
    List<Prompt> prompts = new ArrayList<>();
    golden.path("prompts").forEach(text -> prompts.add(Prompt.of(text.asText())));
    Prompt negative = Prompt.of(golden.path("negative").path(0).asText());
    try (Pipeline pipeline = Pipeline.open(folder.resolve("models"), "sd3");
        Checkpoint io = Golden.open("clip/sd3_prompt/io.safetensors")) {
      List<String> warnings = new ArrayList<>();
      Content.Texts texts = pipeline.embed(prompts, negative, warnings::add);
      assertClose("states", texts.positive().values(), floats(io, "prompt_embeds"), 5e-5);
      assertClose("pooled", texts.positive().pooled(), floats(io, "pooled_prompt_embeds"), 5e-5);
      Embeddings away = texts.negative().orElseThrow();
      int row = away.tokens() * away.width();
      assertClose(
          "negative states",
          away.values(),
          rows(floats(io, "negative_prompt_embeds"), 0, 1, row),
          5e-5);
      assertClose(
          "negative pooled",
          away.pooled(),
          rows(floats(io, "negative_pooled_prompt_embeds"), 0, 1, POOLED),
          5e-5);
      // Of both tokenizers, which take 20 tokens: two of the prompts and the negative have more.
      assertThat(warnings)
          .hasSize(6)
          .allMatch(text -> text.startsWith("the model takes 20 tokens"));
    }
  }

  /** The first encoder's states are in columns 0 to 15, the second's in 16 to 35. */
  @Test
  void eachEncoder_readsItsOwnText() {
    try (Pipeline pipeline = Pipeline.open(folder.resolve("models"), "sd3")) {
      List<Prompt> prompts =
          List.of(Prompt.of("a cat"), Prompt.of("a hill"), Prompt.of("a cat", "a hill"));
      Embeddings texts = pipeline.embed(prompts, Prompt.of(""), text -> {}).positive();
      for (int token = 0; token < CLIP_TOKENS; token++) {
        for (int column = 0; column < TEXT_WIDTH; column++) {
          int at = token * TEXT_WIDTH + column;
          int own = column < 16 ? 0 : 1;
          int size = texts.tokens() * TEXT_WIDTH;
          assertThat(texts.values()[2 * size + at]).isEqualTo(texts.values()[own * size + at]);
        }
      }
      float[] pooled = texts.pooled();
      for (int i = 0; i < POOLED; i++) {
        int own = i < 12 ? 0 : 1;
        assertThat(pooled[2 * POOLED + i]).isEqualTo(pooled[own * POOLED + i]);
      }
      assertThat(rows(pooled, 0, 1, POOLED)).isNotEqualTo(rows(pooled, 1, 2, POOLED));
    }
  }

  @Test
  void commandLine_drawsWithSeveralPrompts() throws IOException {
    List<byte[]> pictures = new ArrayList<>();
    for (String more : List.of("", " --prompt-2 hill", " --negative-prompt-2 hill")) {
      Path out = folder.resolve("out" + pictures.size());
      Invocation done =
          Invocation.of(
              ("generate --model-repository DIR/models --model sd3 --prompt cat --steps 2"
                      + more
                      + " --out "
                      + out)
                  .replace("DIR", folder.toString())
                  .split(" "));
      assertThat(done.err()).isEmpty();
      assertThat(done.code()).isZero();
      try (var files = Files.list(out)) {
        Path png = files.filter(file -> file.toString().endsWith(".png")).findFirst().get();
        pictures.add(Files.readAllBytes(png));
      }
    }
    assertThat(pictures.get(0)).isNotEqualTo(pictures.get(1));
    assertThat(pictures.get(0)).isNotEqualTo(pictures.get(2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --text-encoder-2 none          | a SD3-3x24/2 takes texts of 3 text encoders, and number 2, a CLIP, is missing: give all of them, or none
          --text-encoder-2 DIR/sd3/text_encoder --tokenizer-2 DIR/sd3/tokenizer | the text encoders' pooled vectors have 24 elements together, and the transformer takes 26 (pooled_projection_dim)
          --text-encoder DIR/t5          | is a T5, and the transformer takes a CLIP
          --text-encoder DIR/plain       | has no text_projection, and the transformer takes a projected text
          --text-encoder-3 DIR/t5        | embeds tokens 24 wide, and the transformer takes 40
          --text-encoder none --tokenizer-2 DIR/sd3/tokenizer | --tokenizer-2 has no effect with --text-encoder none
          --vae tests/golden/vae         | autoencoder tests/golden/vae decodes latents of 4 channels, and the model makes 16
          --text-tokens 19               | takes texts of 20 tokens, and the transformer has room for 19
          """)
  void encoders_thatDoNotFit_areRefused(String more, String message) throws IOException {
    if (!Files.exists(folder.resolve("t5"))) {
      copy(path("t5"), folder.resolve("t5"));
      copy(path("clip/text_model"), folder.resolve("plain"));
      copy(path("t5/tokenizer"), folder.resolve("tokenizer"));
      copy(path("t5/tokenizer"), folder.resolve("tokenizer_3"));
    }
    String line = EXPORT.replace("DIR/models", "DIR/refused");
    Invocation done =
        run(
            (more.contains("--text-tokens") ? line.replace("--text-tokens 26 ", "") : line)
                + " "
                + more);
    assertThat(done.err()).contains(message).hasLineCount(1);
    assertThat(done.code()).isNotZero();
    assertThat(folder.resolve("refused")).doesNotExist();
  }

  /** The other way round it is {@code ExportCommandTest}'s. */
  @Test
  void schedulerOfADiffusion_isRefused() throws IOException {
    Path pipeline = Sd3Folder.write(folder.resolve("diffusing"));
    Files.writeString(
        pipeline.resolve("scheduler/scheduler_config.json"),
        "{\"_class_name\": \"DDIMScheduler\"}");
    for (String line :
        List.of(
            "export --model-repository DIR/none",
            "policy fora --steps 4 --interval 2 --out DIR/none",
            "train --steps 4 --captions DIR/captions.txt --out DIR/none")) {
      Files.writeString(folder.resolve("captions.txt"), "a cat\n");
      List<String> words =
          List.of(
              (line + " --checkpoint DIR/diffusing").replace("DIR", folder.toString()).split(" "));
      Invocation done =
          line.startsWith("export")
              ? Invocation.export(words.subList(1, words.size()).toArray(String[]::new))
              : Invocation.of(words.toArray(String[]::new));
      assertThat(done.err())
          .contains("scheduler DDIMScheduler is for models that were trained on a diffusion")
          .hasLineCount(1);
      assertThat(folder.resolve("none")).doesNotExist();
    }
  }

  /** So the T5, the largest part by far, may be left out. */
  @Test
  void textEncoder3None_isZeros() {
    Invocation done =
        run(EXPORT.replace("DIR/models", "DIR/without") + " --text-encoder-3 none --dry-run");
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).contains("sd3-text-encoder-2 ").doesNotContain("text-encoder-3");
  }

  /** Each encoder cuts its own prompt, and says so. */
  @Test
  void longPrompts_areCutAndTold() {
    Invocation done =
        Invocation.of(
            ("generate --model-repository DIR/models --model sd3 --steps 1 --out DIR/cut --prompt-2 hill --prompt "
                    + "cat,".repeat(30))
                .replace("DIR", folder.toString())
                .split(" "));
    assertThat(done.err())
        .startsWith(
            "warning: the model takes 20 tokens of a text, and this one has more: dropped '")
        .hasLineCount(1);
    assertThat(done.code()).isZero();
  }

  @Test
  void furtherPrompts_haveToBeAsManyOrOne() {
    Invocation done =
        Invocation.of(
            "generate --model-repository DIR/models --model sd3 --out DIR/x --prompt a --prompt-2 b --prompt-2 c"
                .replace("DIR", folder.toString())
                .split(" "));
    assertThat(done.err())
        .contains("--prompt-2 is there 2 times for 1 prompts, expected one, or as many");
  }

  /** FLUX: the CLIP's pooled vector, and the T5's states of all tokens, padding too. */
  @Test
  void flux_takesTheVectorOfOne_andTheStatesOfAnother() throws IOException {
    Path pipeline = Files.createDirectory(folder.resolve("flux"));
    ObjectNode config = Checkpoints.config(path("flux/dev"));
    config.put("joint_attention_dim", 24).put("pooled_projection_dim", 16);
    Map<String, Floats> tensors = Checkpoints.tensors(path("flux/dev"));
    tensors.put("context_embedder.weight", some(24, 24));
    tensors.put("time_text_embed.text_embedder.linear_1.weight", some(24, 16));
    Checkpoints.diffusers(pipeline.resolve("transformer"), config, tensors);
    copy(path("flux/dev/scheduler"), pipeline.resolve("scheduler"));
    copy(path("vae16"), pipeline.resolve("vae"));
    copy(path("clip/text_model"), pipeline.resolve("text_encoder"));
    copy(path("clip/tokenizer"), pipeline.resolve("tokenizer"));
    copy(path("t5"), pipeline.resolve("text_encoder_2"));
    copy(path("t5/tokenizer"), pipeline.resolve("tokenizer_2"));
    Invocation done =
        run(
            "--checkpoint DIR/flux --resolution 12x20 --text-tokens 9"
                + " --model-repository DIR/fluxes");
    assertThat(done.err()).isEmpty();
    Path unmasked = Path.of("tests/resources/io/harmonica/cli/unmasked.safetensors");
    try (Pipeline flux = Pipeline.open(folder.resolve("fluxes"), "flux");
        Checkpoint states = Checkpoint.open(unmasked);
        Checkpoint io = Golden.open("clip/text_model/io.safetensors")) {
      List<Prompt> prompts = // as make_unmasked.py has the second ones
          List.of(
              Prompt.of("a photo of a cat", "A small red lantern"),
              Prompt.of("A  Red\tCar,\nparked!!! in the RAIN...", "  two CATS  "));
      Embeddings texts = flux.embed(prompts, Prompt.of(""), text -> {}).positive();
      assertClose("states", texts.values(), floats(states, "states"), 1e-4);
      float[] pooled = floats(io, "pooler_output"); // of the first and third golden prompts
      assertClose("first", rows(texts.pooled(), 0, 1, 16), rows(pooled, 0, 1, 16), 5e-5);
      assertClose("second", rows(texts.pooled(), 1, 2, 16), rows(pooled, 2, 3, 16), 5e-5);
    }
    // A router of other pictures has other timesteps: FLUX's schedule depends on their size.
    for (String size : List.of("", " --resolution 12x20")) {
      String line = "policy fora --checkpoint DIR/flux --steps 2 --interval 2 --out DIR/f.json";
      Invocation.of((line + size).replace("DIR", folder.toString()).split(" "));
      Invocation routed =
          run(
              "--checkpoint DIR/flux --resolution 12x20 --text-tokens 9 --force"
                  + " --model-repository DIR/fluxes --router DIR/f.json");
      if (size.isEmpty()) {
        assertThat(routed.err()).contains("takes with no --spacing for pictures of this size");
      } else {
        assertThat(routed.err()).isEmpty();
      }
    }
    Invocation drawn =
        Invocation.of(
            "generate --model-repository DIR/fluxes --model flux --router f --prompt cat --out DIR/f"
                .replace("DIR", folder.toString())
                .split(" "));
    assertThat(drawn.err()).isEmpty();
    assertThat(folder.resolve("f")).isNotEmptyDirectory();
    Invocation compared =
        Invocation.of(
            "compare --model-repository DIR/fluxes --model flux --a none --b f --c none,true-cfg=2 --steps 2 --prompt cat --negative-prompt hill --rounds 1 --warm-up 0"
                .replace("DIR", folder.toString())
                .split(" "));
    assertThat(compared.code()).isZero();
    assertThat(compared.err()).contains("comparing none, f, none (true CFG 2)");
    assertThat(compared.out()).contains("PSNR");
    String line =
        "generate --model-repository DIR/fluxes --model flux --steps 2 --prompt cat --negative-prompt hill --out DIR/n"
            .replace("DIR", folder.toString());
    assertThat(Invocation.of(line.split(" ")).err())
        .contains("--negative-prompt has no effect where no guidance leads away from it");
    assertThat(folder.resolve("n")).doesNotExist();
    assertThat(Invocation.of((line + " --true-cfg 2").split(" ")).err()).isEmpty();
    assertThat(folder.resolve("n")).isNotEmptyDirectory();
  }

  private Invocation train(String model, String more) throws IOException {
    Files.writeString(folder.resolve("captions.txt"), "a cat\na hill\n");
    return Invocation.of(
        ("train --checkpoint DIR/"
                + model
                + " --steps 3 --iterations 1 --batch 1 --resolution 12x20 --captions DIR/captions.txt "
                + more)
            .replace("DIR", folder.toString())
            .split(" "));
  }

  /** Trained on captions that both CLIPs embed: by every way of reuse, and exchanged. */
  @ParameterizedTest
  @ValueSource(
      strings = {"--reuse last --exchange 1", "--reuse learned", "--lambda reference --beta 1e-4"})
  void train_makesARouterForAFlow(String options) throws IOException {
    Invocation trained = train("sd3", "--text-tokens 26 " + options + " --out DIR/t.json");
    assertThat(trained.err()).isEmpty();
    assertThat(trained.code()).isZero();
    Router router = Router.read(folder.resolve("t.json"));
    assertThat(router.sampler()).isEqualTo("flow-euler");
    assertThat(router.training().path("guidance").asDouble()).isEqualTo(7);
    assertThat(router.training().path("captions").asInt()).isEqualTo(2);
    Invocation done = run(EXPORT.replace("DIR/models", "DIR/t") + " --force --router DIR/t.json");
    assertThat(done.err()).isEmpty();
  }

  @Test
  void train_byPairsOfSteps_isForDiffusion() throws IOException {
    Invocation refused = train("sd3", "--text-tokens 26 --objective ltc --out DIR/l.json");
    assertThat(refused.err())
        .contains("Learning-to-Cache's pairs of steps are a diffusion's: use --objective sdt")
        .hasLineCount(1);
    assertThat(folder.resolve("l.json")).doesNotExist();
  }

  /** A policy needs no training: its router draws, and computing everything changes nothing. */
  @Test
  void policy_makesARouterForAFlow() {
    String line =
        "policy fora --checkpoint DIR/sd3 --steps 4 --interval 2 --out DIR/fora.json --name fora";
    Invocation made = Invocation.of(line.replace("DIR", folder.toString()).split(" "));
    assertThat(made.err()).isEmpty();
    assertThat(made.code()).isZero();
    Invocation done = run(EXPORT.replace("DIR/models", "DIR/routed") + " --router DIR/fora.json");
    assertThat(done.err()).isEmpty();
    Invocation drawn =
        Invocation.of(
            "generate --model-repository DIR/routed --model sd3 --router fora --prompt cat --out DIR/r"
                .replace("DIR", folder.toString())
                .split(" "));
    assertThat(drawn.err()).isEmpty();
    assertThat(folder.resolve("r")).isNotEmptyDirectory();
    Invocation compared =
        Invocation.of(
            "compare --model-repository DIR/routed --model sd3 --a none --b fora --steps 4 --prompt cat --rounds 1 --warm-up 0"
                .replace("DIR", folder.toString())
                .split(" "));
    assertThat(compared.out()).contains("fora").contains("PSNR");
    assertThat(compared.code()).isZero();
  }
}
