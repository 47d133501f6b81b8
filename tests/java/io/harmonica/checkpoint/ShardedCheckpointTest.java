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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShardedCheckpointTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final String SHARD = "model-0000%d-of-00002.safetensors";

  @TempDir Path folder;

  @BeforeEach
  void writeShards() {
    Map<String, Floats> first = Map.of("a", Floats.of(new float[] {1}, 1));
    Map<String, Floats> second = Map.of("b", Floats.of(new float[] {2}, 1));
    SafetensorsWriter.write(folder.resolve(SHARD.formatted(1)), first);
    SafetensorsWriter.write(folder.resolve(SHARD.formatted(2)), second);
  }

  /** An index, in which ' stands for " and {@code $1} for the first shard. */
  private Path index(String json) throws IOException {
    return Files.writeString(
        folder.resolve(INDEX),
        json.replace('\'', '"')
            .replace("$1", SHARD.formatted(1))
            .replace("$2", SHARD.formatted(2)));
  }

  @Test
  void tensor_ofEachShard_isFound() throws IOException {
    Path index = index("{'metadata':{'total_size':8},'weight_map':{'a':'$1','b':'$2'}}");
    for (Path path : List.of(folder, index)) {
      try (Checkpoint checkpoint = Checkpoint.open(path)) {
        assertThat(checkpoint.names()).containsExactly("a", "b");
        assertThat(checkpoint.tensor("a").floats()).containsExactly(1);
        assertThat(checkpoint.tensor("b").floats()).containsExactly(2);
        assertThatThrownBy(() -> checkpoint.tensor("c"))
            .isInstanceOf(HarmonicaException.class)
            .hasMessageContainingAll(INDEX, "'c'");
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}                                        | expected weight_map",
        "{'weight_map':['$1']}                     | expected weight_map",
        "{'weight_map':{}}                         | expected weight_map",
        "{'weight_map':{'a':'$1','a':'$2'}}        | Duplicate field 'a'",
        "{'weight_map':{'a':1}}                    | tensor 'a' into '1', expected the plain name",
        "{'weight_map':{'a':'../$1'}}              | expected the plain name",
        "{'weight_map':{'a':'/$1'}}                | expected the plain name",
        "{'weight_map':{'a':'x/../$1'}}            | expected the plain name",
        "{'weight_map':{'a':'..\\\\$1'}}           | expected the plain name",
        "{'weight_map':{'a':'..'}}                 | expected the plain name",
        "{'weight_map':{'a':'$1\\u0000'}}          | expected the plain name",
        "{'weight_map':{'a':'model.safetensors.index.json'}} | expected the plain name",
        "{'weight_map':{'a':'$1','b':'$1'}}        | tensor 'b' into model-00001-of-00002.safetensors, which does not have it",
        "{'weight_map':{'a':'gone.safetensors'}}   | gone.safetensors does not exist, and model.safetensors.index.json names it",
      })
  void open_indexThatLies_saysWhere(String json, String message) throws IOException {
    Path index = index(json);
    assertThatThrownBy(() -> Checkpoint.open(index).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining(message)
        .message()
        .doesNotContainPattern("\\R");
  }

  @Test
  void open_withoutIndex_readsAllShards() throws IOException {
    for (Path path : List.of(folder, shard(1), shard(2))) {
      try (Checkpoint checkpoint = Checkpoint.open(path)) {
        assertThat(checkpoint.names()).containsExactly("a", "b");
        assertThat(checkpoint.tensor("b").floats()).containsExactly(2);
      }
    }
    Path other = Files.createDirectory(folder.resolve("fp16"));
    Files.move(shard(1), other.resolve("model.fp16-00001-of-00002.safetensors"));
    Files.move(shard(2), other.resolve("model.fp16-00002-of-00002.safetensors"));
    try (Checkpoint checkpoint = Checkpoint.open(other)) {
      assertThat(checkpoint.names()).containsExactly("a", "b");
    }
  }

  @Test
  void open_besideWholeFile_isTheWholeFile() {
    SafetensorsWriter.write(
        folder.resolve("model.fp16.safetensors"), Map.of("c", Floats.of(new float[] {3}, 1)));
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      assertThat(checkpoint.names()).containsExactly("c");
    }
  }

  @Test
  void open_withoutAShard_namesIt() throws IOException {
    Files.delete(shard(1));
    refused(
        folder + " lacks 1 of the 2 files that hold model.safetensors together",
        "('model-00001-of-00002.safetensors')");
    Files.createSymbolicLink(shard(1), Path.of("gone"));
    refused(shard(1) + " is a link to gone, which is gone");
    index("{'weight_map':{'a':'$1','b':'$2'}}");
    refused(shard(1) + " is a link to gone, which is gone");
  }

  @Test
  void open_shardsThatOverlap_areRefused() {
    SafetensorsWriter.write(shard(2), Map.of("a", Floats.of(new float[] {2}, 1)));
    refused(shard(1) + " and " + shard(2) + " both hold tensor 'a'");
  }

  private Path shard(int number) {
    return folder.resolve(SHARD.formatted(number));
  }

  private void refused(String... messageParts) {
    assertThatThrownBy(() -> Checkpoint.open(folder).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(messageParts)
        .message()
        .doesNotContainPattern("\\R");
  }

  @Test
  void open_damagedIndex_isReadOrRefused() throws IOException {
    byte[] valid =
        Files.readAllBytes(index("{'metadata':{'total_size':8},'weight_map':{'a':'$1','b':'$2'}}"));
    Mutations.assertReadOrRefused(
        15,
        2000,
        List.of(valid),
        content -> {
          Path index = Files.createTempFile(folder, "x", ".safetensors.index.json");
          Files.write(index, content);
          Checkpoint.open(index).close();
        });
    assertThat(new String(valid, StandardCharsets.UTF_8)).contains(SHARD.formatted(2));
  }
}
