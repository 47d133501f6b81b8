package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path folder;

  private static Map<String, Floats> tensors() {
    float[] many = new float[40_000]; // more than the writer's buffer holds
    Random random = new Random(3);
    for (int i = 0; i < many.length; i++) {
      many[i] = (float) random.nextGaussian();
    }
    Map<String, Floats> tensors = new LinkedHashMap<>();
    tensors.put("odd", Floats.of(new float[] {1, -0f, Float.NaN}, 3));
    tensors.put("many", Floats.of(many, 4, 100, 100));
    tensors.put("scalar \"π\"", Floats.of(new float[] {(float) Math.PI}));
    tensors.put("none", Floats.of(new float[0], 0, 5));
    return tensors;
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void write_f32_readsBackExactly() throws IOException {
    Path path = folder.resolve("latents.safetensors");
    Files.writeString(path, "what was there before");
    SafetensorsWriter.write(path, tensors());
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThat(checkpoint.names()).containsExactlyElementsOf(tensors().keySet());
      tensors()
          .forEach(
              (name, expected) -> {
                StoredTensor tensor = checkpoint.tensor(name);
                assertThat(tensor.dtype()).isEqualTo(DType.F32);
                assertThat(tensor.shape()).isEqualTo(expected.shape());
                assertThat(tensor.floats()).isEqualTo(expected.data());
              });
    }
    assertThat(files()).containsExactly(path);
  }

  @Test
  void write_anything_isLaidOutAsTheFormatSays() throws IOException {
    Path path = folder.resolve("w.safetensors");
    SafetensorsWriter.write(path, Map.of("w", Floats.of(new float[] {1, -2}, 2, 1)));
    String header =
        "{'__metadata__':{'format':'pt'},"
            + "'w':{'dtype':'F32','shape':[2,1],'data_offsets':[0,8]}} "; // to a multiple of 8
    byte[] expected = SafetensorsFileTest.file(header, 8);
    ByteBuffer.wrap(expected, expected.length - 8, 8)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putFloat(1)
        .putFloat(-2);
    assertThat(path).hasBinaryContent(expected);
  }

  @Test
  void notes_areReadAgain() {
    Path path = folder.resolve("noted.safetensors");
    Map<String, Floats> tensors = Map.of("w", Floats.of(new float[] {1}, 1));
    SafetensorsWriter.write(path, tensors, DType.F32, Map.of("of", "\"π\""));
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThat(checkpoint.metadata()).isEqualTo(Map.of("format", "pt", "of", "\"π\""));
    }
  }

  @Test
  void write_f16_roundsToTheNearestHalf() {
    Path path = folder.resolve("half.safetensors");
    SafetensorsWriter.write(path, tensors(), DType.F16);
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      float[] exact = tensors().get("many").data();
      float[] read = checkpoint.tensor("many").floats();
      assertThat(checkpoint.tensor("many").dtype()).isEqualTo(DType.F16);
      for (int i = 0; i < exact.length; i++) { // half of the distance to the next half
        assertThat(Math.abs(read[i] - exact[i]))
            .isLessThanOrEqualTo(Math.max(Math.abs(exact[i]) * 0x1p-11f, 0x1p-25f));
      }
    }
  }

  @Test
  void write_failingHalfway_leavesTheFolderAsItWas() throws IOException {
    Path path = folder.resolve("half.safetensors");
    Files.writeString(path, "before");
    Map<String, Floats> tensors = tensors();
    tensors.put("large", Floats.of(new float[] {1, 65520}, 2));
    assertThatThrownBy(() -> SafetensorsWriter.write(path, tensors, DType.F16))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll("'large'", "65520.0", "F16");
    assertThat(files()).containsExactly(path);
    assertThat(path).hasContent("before");
  }

  @Test
  void write_ontoAFolderOrIntoNone_saysSoAndLeavesNothing() throws IOException {
    Path occupied = Files.createDirectory(folder.resolve("occupied"));
    Files.writeString(occupied.resolve("x"), "x");
    assertThatThrownBy(() -> SafetensorsWriter.write(occupied, tensors()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(occupied + " cannot be written");
    assertThat(files()).containsExactly(occupied);
    Path nowhere = folder.resolve("no/folder/w.safetensors");
    assertThatThrownBy(() -> SafetensorsWriter.write(nowhere, tensors()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(nowhere + " cannot be written", "its folder exists");
  }

  @Test
  void write_wrongArguments_areRefused() {
    Path path = folder.resolve("x");
    assertThatThrownBy(() -> Floats.of(new float[5], 2, 3))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> SafetensorsWriter.write(path, tensors(), DType.I64))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> SafetensorsWriter.write(path, Map.of("__metadata__", Floats.of(new float[1], 1))))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(path).doesNotExist();
  }
}
