package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Weights by the names that the model's definition gave them, without what training put before
 * them: {@code module.} (DistributedDataParallel), {@code _orig_mod.} (torch.compile), {@code
 * model.} (Lightning), {@code ema_model.} (ema-pytorch) ... Owns the weights.
 */
final class Unwrapped implements Checkpoint {
  /** Attributes of torch's own that hold the wrapped module, of a whole model or of one block. */
  private static final Pattern TORCH =
      Pattern.compile("(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\\.");

  /** Tensors of one element that AveragedModel, ema-pytorch and LitEma keep beside the weights. */
  private static final Set<String> COUNTERS =
      Set.of("n_averaged", "initted", "step", "decay", "num_updates");

  private final Checkpoint weights;

  /** To the names in the file, in its order. */
  private final Map<String, String> sources;

  private Unwrapped(Checkpoint weights, Map<String, String> sources) {
    this.weights = weights;
    this.sources = sources;
  }

  /** The weights themselves, where nothing stands before their names. */
  static Checkpoint of(Checkpoint weights) {
    Map<String, String> sources = withoutTorch(weights);
    Optional<Map<String, String>> inner = inner(weights, sources);
    while (inner.isPresent()) {
      sources = inner.get();
      inner = inner(weights, sources);
    }
    return sources.keySet().equals(weights.names()) ? weights : new Unwrapped(weights, sources);
  }

  /** Those behind a prefix. */
  static Checkpoint part(Checkpoint weights, String prefix) {
    Map<String, String> sources = new LinkedHashMap<>();
    weights.names().stream()
        .filter(name -> name.startsWith(prefix))
        .forEach(name -> sources.put(name.substring(prefix.length()), name));
    return new Unwrapped(weights, sources);
  }

  private static Map<String, String> withoutTorch(Checkpoint weights) {
    Map<String, String> sources = new LinkedHashMap<>();
    for (String source : weights.names()) {
      String name = TORCH.matcher(source).replaceAll("");
      String other = sources.put(name, source);
      if (other != null) {
        throw new HarmonicaException(
            "%s holds both %s and %s, two weights of one name: save the model's state dict again"
                .formatted(weights.path(), Messages.quote(other), Messages.quote(source)));
      }
    }
    return sources;
  }

  /** The names one wrapper further in, if every name but counters stands in one. */
  private static Optional<Map<String, String>> inner(
      Checkpoint weights, Map<String, String> sources) {
    List<String> names =
        sources.keySet().stream()
            .filter(name -> !isCounter(name, weights, sources.get(name)))
            .toList();
    Set<String> wrappers =
        names.stream()
            .map(name -> name.substring(0, Math.max(0, name.indexOf('.'))))
            .collect(Collectors.toCollection(LinkedHashSet::new));
    List<String> best = Wrappers.best(wrappers);
    if (best.size() != 1 || !wrappers.stream().allMatch(Wrappers::isWrapper)) {
      return Optional.empty();
    }
    String prefix = best.get(0) + ".";
    Map<String, String> inner = new LinkedHashMap<>();
    names.stream()
        .filter(name -> name.startsWith(prefix))
        .forEach(name -> inner.put(name.substring(prefix.length()), sources.get(name)));
    return Optional.of(inner);
  }

  private static boolean isCounter(String name, Checkpoint weights, String source) {
    return COUNTERS.contains(name) && weights.tensor(source).elements() == 1;
  }

  @Override
  public Path path() {
    return weights.path();
  }

  @Override
  public Optional<JsonNode> config() {
    return weights.config();
  }

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
    return Collections.unmodifiableSet(sources.keySet());
  }

  @Override
  public StoredTensor tensor(String name) {
    String source = sources.get(name);
    if (source == null) {
      throw Messages.noTensor(path(), name, sources.keySet());
    }
    StoredTensor tensor = weights.tensor(source);
    return new StoredTensor(name, tensor.dtype(), tensor.shape(), tensor.data());
  }

  @Override
  public void close() {
    weights.close();
  }
}
