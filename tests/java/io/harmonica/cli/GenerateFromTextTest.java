package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code generate} on a model that takes text, 20 wide and 8 tokens long, with a decoder. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GenerateFromTextTest {
  private Path folder;

  @BeforeAll
  void export(@TempDir Path shared) throws IOException {
    folder = shared;
    try (Checkpoint source = Checkpoint.open(Path.of("tests/golden/pixart/alpha-256-like"));
        Checkpoint vae = Checkpoint.open(Path.of("tests/golden/vae"))) {
      Choices choices = Choices.NONE.withPixelsPerElement(2).withTextTokens(8);
      new Exporter(Model.of(source, choices), List.of(), ExportOptions.of("latent"))
          .withDecoder(Autoencoder.of(vae))
          .export(folder.resolve("models"));
      new Exporter(Exports.model(source), List.of(), ExportOptions.of("bare").withForce(true))
          .export(folder.resolve("models"));
    }
    write("two", 2, 7, 20, 1);
    write("one", 1, 7, 20, 1);
    write("wide", 1, 7, 21, 1);
    write("long", 1, 9, 20, 1);
    write("masked", 1, 7, 20, 2);
    writeWithFloatMask("float-mask", 1);
    writeWithFloatMask("fraction-mask", 0.5f);
    SafetensorsWriter.write(
        folder.resolve("nomask.safetensors"),
        Map.of("prompt_embeds", Floats.of(new float[20], 1, 1, 20)));
    SafetensorsWriter.write(
        folder.resolve("noise.safetensors"),
        Map.of("latents", Floats.of(new float[2 * 4 * 8 * 8], 2, 4, 8, 8)));
  }

  /** Texts, with a negative one, as diffusers' arguments; the library writes no integers. */
  private void write(String name, int count, int tokens, int width, int kept) throws IOException {
    int texts = count * tokens * width * 4;
    int negative = texts + tokens * width * 4;
    int masks = negative + count * tokens * 8;
    int end = masks + tokens * 8;
    String header =
        """
        {"prompt_embeds":{"dtype":"F32","shape":[%d,%d,%d],"data_offsets":[0,%d]},\
        "negative_prompt_embeds":{"dtype":"F32","shape":[1,%d,%d],"data_offsets":[%d,%d]},\
        "prompt_attention_mask":{"dtype":"I64","shape":[%d,%d],"data_offsets":[%d,%d]},\
        "negative_prompt_attention_mask":{"dtype":"I64","shape":[1,%d],"data_offsets":[%d,%d]}}"""
            .formatted(
                count, tokens, width, texts, tokens, width, texts, negative, count, tokens,
                negative, masks, tokens, masks, end);
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + json.length + end).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(json.length).put(json);
    for (int i = 0; i < negative / 4; i++) {
      file.putFloat((float) Math.sin(i));
    }
    for (int i = 0; i < (count + 1) * tokens; i++) {
      file.putLong(kept);
    }
    Files.write(folder.resolve(name + ".safetensors"), file.array());
  }

  /** {@link #write}'s text "one", with its masks as a pipeline that computes in floats has them. */
  private void writeWithFloatMask(String name, float kept) {
    Map<String, Floats> tensors = new LinkedHashMap<>();
    try (Checkpoint one = Checkpoint.open(folder.resolve("one.safetensors"))) {
      for (String prefix : List.of("", "negative_")) {
        StoredTensor states = one.tensor(prefix + "prompt_embeds");
        float[] mask = new float[7];
        Arrays.fill(mask, kept);
        tensors.put(states.name(), new Floats(states.shape(), states.floats()));
        tensors.put(prefix + "prompt_attention_mask", Floats.of(mask, 1, 7));
      }
    }
    SafetensorsWriter.write(folder.resolve(name + ".safetensors"), tensors);
  }

  private Invocation run(String line) {
    List<String> args = new ArrayList<>(List.of("generate", "--model-repository", "DIR/models"));
    args.addAll(List.of(line.strip().split(" +")));
    return Invocation.of(
        args.stream().map(word -> word.replace("DIR", folder.toString())).toArray(String[]::new));
  }

  @Test
  void texts_becomePictures() throws IOException {
    Invocation done =
        run("--model latent --steps 3 --text-embeddings DIR/two.safetensors --out DIR/pictures");
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).startsWith("2 pictures in ");
    for (String name : List.of("0000-text0.png", "0001-text1.png")) {
      var picture = ImageIO.read(folder.resolve("pictures").resolve(name).toFile());
      assertThat(List.of(picture.getHeight(), picture.getWidth())).containsExactly(16, 16);
    }
  }

  @Test
  void oneText_servesForEveryRowOfLatents() {
    Invocation done =
        run(
            "--model latent --steps 2 --text-embeddings DIR/one.safetensors"
                + " --latents DIR/noise.safetensors --out DIR/rows");
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).startsWith("2 pictures in ");
  }

  @Test
  void maskOfFloats_isTheSameMask() throws IOException {
    for (String text : List.of("one", "float-mask")) {
      Invocation done =
          run(
              "--model latent --steps 2 --text-embeddings DIR/%1$s.safetensors --out DIR/%1$s"
                  .formatted(text));
      assertThat(done.err()).isEmpty();
    }
    assertThat(folder.resolve("float-mask/0000-text0.png"))
        .hasSameBinaryContentAs(folder.resolve("one/0000-text0.png"));
  }

  @Test
  void withoutDecoder_keepsTheLatents_andSaysHowToGetOne() {
    Invocation done =
        run("--model bare --steps 2 --text-embeddings DIR/one.safetensors --out DIR/bare");
    assertThat(done.code()).isZero();
    assertThat(done.err()).contains("(export with --vae)").hasLineCount(1);
    assertThat(folder.resolve("bare/latents.safetensors")).exists();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 |                                                     | missing --classes 0,1,2, --prompt TEXT, --prompts FILE, --text-embeddings FILE or --pictures N
          2 | --classes 1 --text-embeddings DIR/one.safetensors   | --classes and --text-embeddings exclude each other
          1 | --classes 1                                         | model latent takes texts, not classes: use --text-embeddings
          1 | --text-embeddings DIR/one.pt                        | one.pt is no .safetensors file by its name
          1 | --text-embeddings DIR/none.safetensors              | none.safetensors does not exist
          1 | --text-embeddings DIR/noise.safetensors             | noise.safetensors has no tensor 'prompt_embeds', only [latents]
          1 | --text-embeddings DIR/nomask.safetensors            | nomask.safetensors has no tensor 'prompt_attention_mask'
          1 | --text-embeddings DIR/masked.safetensors            | masked.safetensors: a mask of text embeddings has others than 0 and 1
          1 | --text-embeddings DIR/fraction-mask.safetensors     | fraction-mask.safetensors: tensor 'prompt_attention_mask' holds 0.5, expected 1 for each token that counts and 0 for padding
          1 | --text-embeddings DIR/wide.safetensors              | texts are embedded 21 wide, model latent takes 20
          1 | --text-embeddings DIR/long.safetensors              | text 0 has more tokens than the 8 that the model takes: shorten it, or export the model with --text-tokens 9
          """)
  void badInput_isOneLine(int code, String line, String message) {
    Invocation refused =
        run("--model latent --steps 2 --out DIR/bad " + (line == null ? "" : line));
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.err()).startsWith("error: ").contains(message).hasLineCount(1);
    assertThat(folder.resolve("bad")).doesNotExist();
  }
}
