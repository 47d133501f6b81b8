package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.Mutations;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders, single files, and what torch files are taken for; formats have tests of their own. */
class CheckpointTest {
  @TempDir Path folder;

  /** A safetensors file whose one tensor is called like it, but for dots. */
  private void write(String name) {
    SafetensorsWriter.write(
        folder.resolve(name), Map.of(tensor(name), Floats.of(new float[] {1}, 1)));
  }

  private static String tensor(String file) {
    return file.replace('.', '-');
  }

  private void assertRefused(Path path, String... messageParts) {
    assertThatThrownBy(() -> Checkpoint.open(path).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContainingAll(messageParts)
        .message()
        .doesNotContainPattern("\\R");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "diffusion_pytorch_model.safetensors",
        "diffusion_pytorch_model.fp16.safetensors",
        "model.safetensors",
        "shapes-dit.safetensors",
      })
  void open_folderWithOneFile_isThatFileAndItsConfig(String name) throws IOException {
    write(name);
    Files.writeString(folder.resolve("config.json"), "{\"num_layers\": 3}");
    Files.writeString(folder.resolve("README.md"), "not weights");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.path()).isEqualTo(folder);
      assertThat(checkpoint.names()).containsExactly(tensor(name));
      assertThat(checkpoint.config().orElseThrow().get("num_layers").intValue()).isEqualTo(3);
    }
    try (Checkpoint checkpoint = Checkpoint.open(folder.resolve(name))) {
      assertThat(checkpoint.path()).isEqualTo(folder.resolve(name));
      assertThat(checkpoint.tensor(tensor(name)).floats()).containsExactly(1);
      assertThat(checkpoint.config()).isPresent();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "diffusion_pytorch_model.fp16.safetensors, diffusion_pytorch_model.safetensors",
    "io.safetensors, model.safetensors",
    "diffusion_pytorch_model.bin, diffusion_pytorch_model.fp16.safetensors",
    "a.bin, b.safetensors",
  })
  void open_folderWithTwo_takesTheBetter(String worse, String better) {
    write(worse);
    write(better);
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.names()).containsExactly(tensor(better));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "model.safetensors, diffusion_pytorch_model.safetensors",
    "model.fp16.safetensors, model.bf16.safetensors",
    "a.safetensors, b.safetensors",
  })
  void open_folderWithSeveralEqualOnes_asksForOne(String one, String other) {
    write(one);
    write(other);
    assertRefused(folder, "several sets of weights", "'" + one + "'", "'" + other + "'");
  }

  @Test
  void open_linkWhoseTargetIsGone_isCalledThat() throws IOException {
    Path weights = folder.resolve("diffusion_pytorch_model.safetensors");
    Files.createSymbolicLink(weights, Path.of("../../blobs/0123abcd"));
    String message = weights + " is a link to ../../blobs/0123abcd, which is gone";
    for (Path path : List.of(folder, weights)) {
      assertThatThrownBy(() -> Checkpoint.open(path).close())
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContainingAll(message, "mount the whole download cache");
    }
    write("model.fp16.safetensors"); // what is there counts more
    Checkpoint.open(folder).close();
    Files.createSymbolicLink(folder.resolve("config.json"), Path.of("../../blobs/4567"));
    assertRefused(folder, "config.json is a link to ../../blobs/4567, which is gone");
  }

  @Test
  void open_folderWithoutWeights_saysWhatToGive() throws IOException {
    assertRefused(folder, "holds no weights", "diffusion_pytorch_model.safetensors");
    Files.createDirectory(folder.resolve("transformer"));
    assertRefused(folder, "a whole pipeline: give " + folder.resolve("transformer"));
  }

  @Test
  void open_missingOrUnknownFile_saysSo() throws IOException {
    assertRefused(folder.resolve("no.safetensors"), "does not exist");
    assertRefused(Files.createFile(folder.resolve("model.onnx")), "not a checkpoint by its name");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "[1]", "{\"a\":1,\"a\":2}", "{} {}", "\u0000\u0001"})
  void open_badConfig_namesTheFile(String config) throws IOException {
    write("model.safetensors");
    Path path = Files.writeString(folder.resolve("config.json"), config);
    assertThatThrownBy(() -> Checkpoint.open(folder).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(path.toString());
  }

  @Test
  void readObject_damagedConfig_isReadOrRefused() {
    String config = "{\"_class_name\": \"DiT\", \"x\": [1, -2.5e3, null, true, \"\\u00e9\\n\"]}";
    Mutations.assertReadOrRefused(
        14,
        2000,
        List.of(config.getBytes(StandardCharsets.UTF_8)),
        content -> TempFile.holding(content, ".json", JsonFile::readObject));
  }

  @Test
  void open_trainingCheckpoint_isItsAveragedWeights() {
    try (Checkpoint checkpoint = Checkpoint.open(TorchZip.resource("train.pt"))) {
      assertThat(checkpoint.names()).containsExactly("weight", "bias");
      assertThat(checkpoint.tensor("weight").name()).isEqualTo("weight");
      assertThat(checkpoint.tensor("weight").floats()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(checkpoint.config()).isEmpty();
      assertThatThrownBy(() -> checkpoint.tensor("scale"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContainingAll("train.pt", "'scale'", "'weight', 'bias'");
    }
  }

  @Test
  void open_dataParallelCheckpoint_losesThePrefix() {
    try (Checkpoint checkpoint = Checkpoint.open(TorchZip.resource("parallel.pt"))) {
      assertThat(checkpoint.names()).containsExactly("weight", "bias");
      assertThat(checkpoint.tensor("weight").floats()).containsExactly(0, 1, 2, 3, 4, 5);
    }
  }

  @Test
  void open_torchFileWithoutStateDict_saysWhatItHolds() {
    assertRefused(TorchZip.resource("no_tensors.pt"), "no state dict", "'epoch', 'ema'");
    assertRefused(TorchZip.resource("list.pt"), "expected a dict of tensors");
    assertRefused(TorchZip.resource("legacy.pt"), "before torch 1.6");
  }
}
