package io.harmonica.triton;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.triton.proto.RepositoryIndexResponse.ModelIndex;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What servers must agree on to share trajectories of a model: its weights' digest, its manifest,
 * its inputs, outputs and engines, and the versions of all these that are loaded.
 *
 * @param versions loaded ones by model: the base ensemble and its engines
 */
record Fingerprint(ModelConfig config, ObjectNode manifest, Map<String, String> versions) {
  private static final ObjectMapper JSON = new ObjectMapper();

  static Fingerprint of(ModelConfig config, List<ModelIndex> index) {
    Set<String> models = new TreeSet<>(Set.of(config.getName()));
    config.getEnsembleScheduling().getStepList().forEach(step -> models.add(step.getModelName()));
    Map<String, String> versions =
        index.stream()
            .filter(entry -> models.contains(entry.getName()) && entry.getState().equals("READY"))
            .collect(
                Collectors.toMap(
                    ModelIndex::getName,
                    ModelIndex::getVersion,
                    (one, other) -> one + "," + other,
                    TreeMap::new));
    return new Fingerprint(config, manifest(config), versions);
  }

  private static ObjectNode manifest(ModelConfig config) {
    String text =
        config
            .getParametersMap()
            .getOrDefault(Manifest.KEY, ModelParameter.getDefaultInstance())
            .getStringValue();
    try {
      return JSON.readTree(normalised(config, text)) instanceof ObjectNode object
          ? object
          : plain(text);
    } catch (JsonProcessingException e) {
      return plain(text); // whoever needs a manifest will say so
    }
  }

  /** In today's format, which a router that is deployed leaves behind, whatever it was before. */
  private static String normalised(ModelConfig config, String text) {
    try {
      return Manifest.of(config).toJson();
    } catch (HarmonicaException e) {
      return text;
    }
  }

  private static ObjectNode plain(String text) {
    return JsonNodeFactory.instance.objectNode().put("text", text);
  }

  /**
   * In what another server's differs, in words, if at all.
   *
   * @param withRouters whether one may not lack a router that the other has; equal names must mean
   *     equal routers in any case
   */
  Optional<String> difference(Fingerprint other, String here, String there, boolean withRouters) {
    Set<String> models = new TreeSet<>(versions.keySet());
    models.addAll(other.versions.keySet());
    for (String model : models) {
      String mine = versions.getOrDefault(model, "none");
      String its = other.versions.getOrDefault(model, "none");
      if (!mine.equals(its)) {
        return told("version of " + model, mine, here, its, there);
      }
    }
    if (!text("digest").equals(other.text("digest"))) {
      return told("digest of the weights", text("digest"), here, other.text("digest"), there);
    }
    if (!config.getInputList().equals(other.config.getInputList())
        || !config.getOutputList().equals(other.config.getOutputList())
        || !config.getEnsembleScheduling().equals(other.config.getEnsembleScheduling())
        || !withoutRouters().equals(other.withoutRouters())) {
      return Optional.of("configuration: that at %s is another than at %s".formatted(here, there));
    }
    return routerDifference(other, here, there, withRouters);
  }

  private Optional<String> routerDifference(
      Fingerprint other, String here, String there, boolean withRouters) {
    Set<String> names = new TreeSet<>();
    manifest.path("routers").fieldNames().forEachRemaining(names::add);
    other.manifest.path("routers").fieldNames().forEachRemaining(names::add);
    for (String name : names) {
      JsonNode mine = manifest.path("routers").path(name);
      JsonNode its = other.manifest.path("routers").path(name);
      boolean missing = mine.isMissingNode() || its.isMissingNode();
      boolean same = mine.equals(its) && program(name).equals(other.program(name));
      if (missing ? withRouters : !same) {
        return told("router " + name, known(mine), here, missing ? known(its) : "another", there);
      }
    }
    return Optional.empty();
  }

  private JsonNode program(String router) {
    return manifest.path("programs").path(router);
  }

  private static String known(JsonNode router) {
    return router.isMissingNode() ? "none" : "one";
  }

  private static Optional<String> told(
      String what, String mine, String here, String its, String there) {
    return Optional.of("%s: %s at %s, %s at %s".formatted(what, mine, here, its, there));
  }

  private String text(String field) {
    return manifest.path(field).asText("none");
  }

  private ObjectNode withoutRouters() {
    return manifest.deepCopy().without(List.of("routers", "programs"));
  }
}
