package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Several weights files that an index ({@code weight_map}: tensor name to file name) holds
 * together.
 */
final class ShardedCheckpoint implements Checkpoint {
  private final Path index;
  private final Map<String, Checkpoint> shards = new HashMap<>();
  private final Map<String, Checkpoint> shardOf = new LinkedHashMap<>();

  private ShardedCheckpoint(Path index) {
    this.index = index;
  }

  static ShardedCheckpoint open(Path index) {
    JsonNode weightMap = JsonFile.readObject(index).path("weight_map");
    if (!weightMap.isObject() || weightMap.isEmpty()) {
      throw Messages.damaged(index, "expected weight_map, an object of tensor to file names");
    }
    ShardedCheckpoint checkpoint = new ShardedCheckpoint(index);
    try {
      weightMap.properties().forEach(e -> checkpoint.add(e.getKey(), e.getValue()));
      return checkpoint;
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  private void add(String name, JsonNode fileName) {
    String file = fileName.isTextual() ? fileName.textValue() : "";
    if (!file.matches("[\\w-][\\w.+-]*\\.(safetensors|bin)")) { // nothing outside the folder
      throw Messages.damaged(
          index,
          "weight_map puts tensor %s into %s, expected the plain name of a .safetensors or .bin file"
              .formatted(Messages.quote(name), Messages.quote(fileName.toString())));
    }
    Checkpoint shard = shards.get(file);
    if (shard == null) {
      shard = WeightsFolder.openWeights(index.resolveSibling(file));
      shards.put(file, shard);
    }
    if (!shard.names().contains(name)) {
      throw Messages.damaged(
          index,
          "weight_map puts tensor %s into %s, which does not have it"
              .formatted(Messages.quote(name), file));
    }
    shardOf.put(name, shard);
  }

  @Override
  public Path path() {
    return index;
  }

  @Override
  public Optional<JsonNode> config() {
    return Optional.empty();
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(shardOf.keySet());
  }

  @Override
  public StoredTensor tensor(String name) {
    Checkpoint shard = shardOf.get(name);
    if (shard == null) {
      throw Messages.noTensor(index, name, shardOf.keySet());
    }
    return shard.tensor(name);
  }

  @Override
  public void close() {
    shards.values().forEach(Checkpoint::close);
  }
}
