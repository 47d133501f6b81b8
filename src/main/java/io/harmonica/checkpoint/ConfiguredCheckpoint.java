package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Weights with the {@code config.json} found beside them. Owns the weights. */
record ConfiguredCheckpoint(Path path, Optional<JsonNode> config, Checkpoint weights)
    implements Checkpoint {
  @Override
  public Map<String, Object> settings() {
    return weights.settings();
  }

  @Override
  public Map<String, String> metadata() {
    return weights.metadata();
  }

  @Override
  public Set<String> names() {
    return weights.names();
  }

  @Override
  public StoredTensor tensor(String name) {
    return weights.tensor(name);
  }

  @Override
  public void close() {
    weights.close();
  }
}
