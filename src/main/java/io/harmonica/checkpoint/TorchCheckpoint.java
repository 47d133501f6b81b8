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
 * The weights in a torch file: a state dict, or what a training script wrapped around one. What is
 * not a tensor in it is left out.
 */
final class TorchCheckpoint implements Checkpoint {
  /** Where training scripts put the state dict, the preferred first: averaged weights draw best. */
  private static final List<String> WRAPPERS = List.of("ema", "model", "state_dict", "module");

  private static final String DATA_PARALLEL = "module."; // DistributedDataParallel's prefix

  private final TorchFile file;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

  private TorchCheckpoint(TorchFile file) {
    this.file = file;
    Map<?, ?> stateDict = stateDict();
    boolean prefixed =
        stateDict.entrySet().stream()
            .filter(e -> e.getValue() instanceof StoredTensor)
            .allMatch(e -> ((String) e.getKey()).startsWith(DATA_PARALLEL));
    stateDict.forEach(
        (key, value) -> {
          if (value instanceof StoredTensor tensor) {
            String name = ((String) key).substring(prefixed ? DATA_PARALLEL.length() : 0);
            tensors.put(
                name, new StoredTensor(name, tensor.dtype(), tensor.shape(), tensor.data()));
          }
        });
    if (tensors.isEmpty()) {
      throw new HarmonicaException(
          "%s holds no state dict: expected tensors by name, or a dict with one under any of %s, but found the keys %s"
              .formatted(path(), WRAPPERS, keys(stateDict)));
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
    for (String wrapper : WRAPPERS) {
      if (root.get(wrapper) instanceof Map<?, ?> wrapped
          && wrapped.values().stream().anyMatch(StoredTensor.class::isInstance)) {
        return wrapped;
      }
    }
    return root;
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
