package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The weights in a torch file: a state dict, or what a training script wrapped around one. What
 * else the script saved are its settings.
 */
final class TorchCheckpoint implements Checkpoint {
  private final TorchFile file;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  private TorchCheckpoint(TorchFile file) {
    this.file = file;
    Map<?, ?> stateDict = stateDict();
    stateDict.forEach(
        (key, value) -> {
          if (value instanceof StoredTensor tensor) {
            String name = (String) key;
            tensors.put(
                name, new StoredTensor(name, tensor.dtype(), tensor.shape(), tensor.data()));
          }
        });
    if (tensors.isEmpty()) {
      throw new HarmonicaException(
          "%s holds no state dict: expected tensors by name, or a dict with one under a key such as ema, model or state_dict, but found the keys %s"
              .formatted(path(), keys(stateDict)));
    }
  }

  static TorchCheckpoint open(Path path) {
    TorchFile file = TorchFile.open(path);
    try {
      return new TorchCheckpoint(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private Map<?, ?> stateDict() {
    if (!(file.root() instanceof Map<?, ?> root)) {
      throw new HarmonicaException(
          "%s holds a %s, expected a dict of tensors: save model.state_dict()"
              .formatted(
                  path(), file.root() == null ? "None" : file.root().getClass().getSimpleName()));
    }
    return unwrapped(root);
  }

  /** The dict of tensors in a dict of what a training script saved, or in one of its own dicts. */
  private Map<?, ?> unwrapped(Map<?, ?> saved) {
    List<String> wrappers =
        saved.keySet().stream()
            .map(String.class::cast)
            .filter(key -> Wrappers.isWrapper(key) && holdsWeights(saved.get(key)))
            .toList();
    return Wrappers.choose(path(), wrappers)
        .<Map<?, ?>>map(key -> unwrapped((Map<?, ?>) saved.get(key)))
        .orElse(saved);
  }

  /** More than counters, which an average may keep where its weights are a list without names. */
  private static boolean holdsWeights(Object value) {
    return value instanceof Map<?, ?> map
        && map.entrySet().stream()
            .anyMatch(
                entry ->
                    (entry.getValue() instanceof StoredTensor tensor && tensor.elements() > 1)
                        || (Wrappers.isWrapper((String) entry.getKey())
                            && holdsWeights(entry.getValue())));
  }

  private static String keys(Map<?, ?> map) {
    return "(" + Messages.some(map.keySet().stream().map(String::valueOf).toList()) + ")";
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
  public Map<String, Object> settings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    ((Map<?, ?>) file.root())
        .forEach(
            (key, value) -> {
              if (!holdsTensors(value)) {
                settings.put((String) key, value);
              }
            });
    return settings;
  }

  private static boolean holdsTensors(Object value) {
    return value instanceof StoredTensor
        || value instanceof Map<?, ?> map
            && map.values().stream().anyMatch(StoredTensor.class::isInstance);
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public StoredTensor tensor(String name) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw Messages.noTensor(path(), name, tensors.keySet());
    }
    return tensor;
  }

  @Override
  public void close() {
    file.close();
  }
}
