package io.harmonica.deploy;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.triton.ModelControl.Entry;
import io.harmonica.triton.TritonRuntime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Says which base model each model on a server belongs to, and what it is there for: {@code
 * dit-block03-c1} is an engine of {@code dit}. A loaded model's configuration says so; of a model
 * that is not loaded the server gives the name only.
 *
 * @param configs of loaded models, by name
 */
record Parts(List<Entry> index, Map<String, ModelConfig> configs) {

  /** Asks a server. */
  static Parts of(TritonRuntime server) {
    List<Entry> index = server.models().index();
    Map<String, ModelConfig> configs = new TreeMap<>();
    for (Entry entry : index) {
      if (entry.isReady()) {
        configs.computeIfAbsent(entry.name(), server::config);
      }
    }
    return new Parts(index, configs);
  }

  /** Of a loaded model. */
  Optional<ModelConfig> config(String name) {
    return Optional.ofNullable(configs.get(name));
  }

  /** The loaded base models. */
  List<ModelConfig> bases() {
    return configs.values().stream().filter(Parts::isBase).toList();
  }

  private static boolean isBase(ModelConfig config) {
    return config.containsParameters(Manifest.KEY);
  }

  /** Whether a model is a part of a loaded base model; for one that is not loaded, by its name. */
  boolean isPart(String name, String base) {
    return config(name)
        .map(config -> Role.isPart(config, base))
        .orElseGet(
            () ->
                bases().stream()
                    .map(ModelConfig::getName)
                    .filter(model -> isNameOf(name, model))
                    .max(Comparator.comparingInt(String::length))
                    .filter(base::equals)
                    .isPresent());
  }

  /** The loaded models of a router that clients ask. */
  List<String> askedOf(String base, String router) {
    return named(base, role -> role.isAskedOf(router));
  }

  /** All loaded models of a router, each before those that it runs. */
  List<String> of(String base, String router) {
    List<String> all = new ArrayList<>(askedOf(base, router));
    all.addAll(named(base, role -> role.isOf(router) && !role.isAskedOf(router)));
    return all;
  }

  private List<String> named(String base, Predicate<Role> wanted) {
    return configs.values().stream()
        .filter(config -> Role.isPart(config, base))
        .filter(config -> Role.of(config).filter(wanted).isPresent())
        .map(ModelConfig::getName)
        .toList();
  }

  /** Whether something that is there but not loaded may by its name be another model's, too. */
  boolean isClaimed(String name, String base) {
    return index.stream().anyMatch(entry -> entry.name().equals(name))
        && index.stream()
            .map(Entry::name)
            .filter(model -> !model.equals(base) && !model.equals(name) && isNameOf(name, model))
            .anyMatch(model -> config(model).map(Parts::isBase).orElse(true));
  }

  private static boolean isNameOf(String part, String model) {
    return part.equals(model) || part.startsWith(model + "-");
  }
}
