package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One safetensors file; its tensors are views of the mapped file. */
final class SafetensorsFile implements Checkpoint {
  private final MappedFile file;
  private final Map<String, SafetensorsHeader.Entry> entries;
  private final Map<String, String> metadata;

  private SafetensorsFile(MappedFile file) {
    this.file = file;
    SafetensorsHeader header = SafetensorsHeader.read(file);
    this.entries = header.entries();
    this.metadata = header.metadata();
  }

  static SafetensorsFile open(Path path) {
    MappedFile file = MappedFile.open(path);
    try {
      return new SafetensorsFile(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  @Override
  public Path path() {
    return file.path();
  }

  @Override
  public Optional<JsonNode> config() {
    return Optional.empty();
  }

  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  @Override
  public StoredTensor tensor(String name) {
    SafetensorsHeader.Entry entry = entries.get(name);
    if (entry == null) {
      throw Messages.noTensor(file.path(), name, entries.keySet());
    }
    return new StoredTensor(
        name,
        entry.dtype(),
        entry.shape(),
        file.slice(entry.begin(), entry.end() - entry.begin(), "tensor " + Messages.quote(name)));
  }

  @Override
  public void close() {
    file.close();
  }
}
