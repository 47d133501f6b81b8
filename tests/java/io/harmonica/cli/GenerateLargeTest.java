package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pictures of other sizes than a PixArt was trained at; its autoencoder has 2 pixels an element.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GenerateLargeTest {
  private static final String LARGE = "--checkpoint DIR/pixart --resolution 260x256 --force ";

  private Path folder;

  @BeforeAll
  void pipeline(@TempDir Path shared) {
    folder = shared;
    PipelineFolder.in(folder.resolve("pixart"));
  }

  private String[] words(String line) {
    return Arrays.stream(line.strip().split(" +"))
        .map(word -> word.replace("DIR", folder.toString()))
        .toArray(String[]::new);
  }

  private void export(String line) {
    Invocation done =
        Invocation.run(
            console ->
                HarmonicaExport.run(
                    words(line + " --model-repository DIR/models"), console.out(), console.err()));
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
  }

  private BufferedImage picture(String line, String out) throws IOException {
    String whole = "generate --model-repository DIR/models --prompt lantern --steps 1 " + line;
    Invocation done = Invocation.of(words(whole + " --out DIR/" + out));
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    return ImageIO.read(folder.resolve(out).resolve("0000-text0.png").toFile());
  }

  private float[] latents(String file) {
    try (Checkpoint saved = Checkpoint.open(folder.resolve(file))) {
      return saved.tensor("latents").floats();
    }
  }

  @Test
  void largePicture_isDecodedInTiles_andDoesNotDependOnWhatEnginesKeep() throws IOException {
    export(LARGE + "--model-name large");
    assertThat(Manifest.of(ConfigFile.read(folder.resolve("models/large"))).decoder())
        .isEqualTo(new Manifest.Decoder("large-decoder", 64)); // of 130 x 128
    BufferedImage drawn = picture("--model large --save-latents DIR/a.safetensors", "large");
    assertThat(List.of(drawn.getHeight(), drawn.getWidth())).containsExactly(260, 256);

    Path block = folder.resolve("models/large-block00-ccc/config.pbtxt");
    String setting = "parameters { key: \"enable_mem_arena\" value { string_value: \"0\" } }\n";
    Files.writeString(block, setting, StandardOpenOption.APPEND);
    assertThat(parameter("large-block00-ccc")).isEqualTo("0");
    picture("--model large --save-latents DIR/b.safetensors", "again");
    assertThat(latents("b.safetensors")).isEqualTo(latents("a.safetensors"));
  }

  private String parameter(String engine) {
    var parameters = ConfigFile.read(folder.resolve("models").resolve(engine)).getParametersMap();
    return parameters.containsKey(Names.MEMORY_ARENA)
        ? parameters.get(Names.MEMORY_ARENA).getStringValue()
        : "";
  }

  @Test
  void blocksThatWouldKeepTooMuchMemory_keepNone() {
    String line = "--checkpoint DIR/pixart --text-encoder none --force --resolution 512x512";
    export(line + " --model-name blocks"); // two of them, 16384 tokens
    assertThat(parameter("blocks-block00-ccc")).isEqualTo("0");
    assertThat(parameter("blocks-embed")).isEmpty();
    export(line + " --model-name graph --blocks-per-engine all");
    assertThat(parameter("graph-step-cccccc")).isEmpty();
    export("--checkpoint DIR/pixart --text-encoder none --force --model-name usual");
    assertThat(parameter("usual-block00-ccc")).isEmpty();
  }

  /** One text of one token; the library writes no integers. */
  private static void writeText(Path file, int width) throws IOException {
    String header =
        """
        {"prompt_embeds":{"dtype":"F32","shape":[1,1,%d],"data_offsets":[0,%d]},\
        "prompt_attention_mask":{"dtype":"U8","shape":[1,1],"data_offsets":[%d,%d]}}"""
            .formatted(width, 4 * width, 4 * width, 4 * width + 1);
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length() + 4 * width + 1);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(header.length());
    bytes.put(header.getBytes(StandardCharsets.US_ASCII));
    bytes.put(bytes.capacity() - 1, (byte) 1);
    Files.write(file, bytes.array());
  }

  @Test
  void aspectBin_isDrawn_andBroughtToTheSizeThatWasAsked() throws IOException {
    Path pixArt = Path.of("tests/golden/pixart/alpha-1024-like");
    Checkpoints.diffusers(
        folder.resolve("bins/transformer"),
        Checkpoints.config(pixArt),
        Checkpoints.tensors(pixArt));
    PipelineFolder.copy(folder.resolve("pixart/vae"), folder.resolve("bins/vae"));
    export("--checkpoint DIR/bins --resolution 64x90 --aspect-bins --force");
    writeText(folder.resolve("t.safetensors"), 18);
    Invocation done =
        Invocation.of(
            words(
                "generate --model-repository DIR/models --model bins --steps 1"
                    + " --text-embeddings DIR/t.safetensors --guidance 1 --out DIR/bin"));
    assertThat(done.err()).isEmpty();
    BufferedImage drawn = ImageIO.read(folder.resolve("bin/0000-text0.png").toFile());
    assertThat(List.of(drawn.getHeight(), drawn.getWidth())).containsExactly(64, 90);
  }
}
