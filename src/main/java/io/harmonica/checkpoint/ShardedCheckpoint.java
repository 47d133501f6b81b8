package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Several weights files that hold a model together: by an index ({@code weight_map}: tensor name to
 * file name), or by their names alone.
 */
final class ShardedCheckpoint implements Checkpoint {
  /** The index, or the first file, for messages. */
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

  /** Files without an index: each tensor must lie in one of them only. */
  static ShardedCheckpoint open(List<Path> files) {
    ShardedCheckpoint checkpoint = new ShardedCheckpoint(files.get(0));
    try {
      files.forEach(checkpoint::addAll);
      return checkpoint;
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  private void addAll(Path file) {
    Checkpoint shard = WeightsFolder.openSingle(file);
    shards.put(file.getFileName().toString(), shard);
    for (String name : shard.names()) {
      Checkpoint other = shardOf.put(name, shard);
      if (other != null) {
        throw new HarmonicaException(
            "%s and %s both hold tensor %s, and no index says which counts: they are of different models, fetch them again"
                .formatted(other.path(), file, Messages.quote(name)));
      }
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
      Path path = index.resolveSibling(file);
      if (!Links.exists(path)) {
        throw new HarmonicaException(
            "%s does not exist, and %s names it: fetch it, too"
                .formatted(path, index.getFileName()));
      }
      shard = WeightsFolder.openSingle(path);
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
