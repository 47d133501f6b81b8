package io.harmonica.deploy;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.runtime.Statistics;
import io.harmonica.triton.ModelControl.Entry;
import io.harmonica.triton.TritonRuntime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a server has of ours.
 *
 * @param description of the server, with its version
 * @param ready whether all models of the server are loaded
 * @param models by name
 */
public record Survey(String description, boolean ready, List<Model> models) {

  /**
   * An exported model.
   *
   * @param version that is loaded
   * @param digest of its weights; empty where the export did not note it
   * @param parts of it, engines and ensembles, by state
   * @param routers by name
   * @param uncached requests of the uncached step
   */
  public record Model(
      String name,
      String version,
      String digest,
      Map<String, Long> parts,
      List<RouterState> routers,
      Statistics.Model uncached) {}

  /**
   * A router of a model.
   *
   * @param ready how many of its ensembles are loaded
   * @param routes that it has
   * @param requests of its ensembles together, those of several steps too
   */
  public record RouterState(
      String name, int steps, int ready, int routes, Statistics.Model requests) {}

  private static final Statistics.Model NONE = new Statistics.Model(0, 0, 0, 0);

  /** Asks a server. */
  public static Survey of(TritonRuntime server) {
    List<Entry> index = server.models().index();
    Statistics statistics = server.statistics();
    Map<String, ModelConfig> configs = new TreeMap<>();
    for (Entry entry : index) {
      if (entry.isReady()) {
        configs.computeIfAbsent(entry.name(), server::config);
      }
    }
    List<Model> models = new ArrayList<>();
    for (ModelConfig config : configs.values()) {
      if (config.containsParameters(Manifest.KEY)) {
        models.add(model(config, index, configs, statistics));
      }
    }
    return new Survey(server.description(), server.isReady(), models);
  }

  private static Model model(
      ModelConfig base, List<Entry> index, Map<String, ModelConfig> configs, Statistics all) {
    String name = base.getName();
    Set<String> ready = configs.keySet();
    Map<String, Long> parts =
        index.stream()
            .filter(entry -> isPart(entry, name, configs))
            .collect(
                Collectors.groupingBy(
                    entry -> entry.state().isEmpty() ? "NOT LOADED" : entry.state(),
                    TreeMap::new,
                    Collectors.counting()));
    String version =
        index.stream()
            .filter(entry -> entry.name().equals(name) && entry.isReady())
            .map(Entry::version)
            .collect(Collectors.joining(","));
    List<RouterState> routers = new ArrayList<>();
    String digest = "";
    try {
      Manifest manifest = Manifest.of(base);
      digest = manifest.digest() == null ? "" : manifest.digest();
      new LinkedHashMap<>(manifest.routers())
          .forEach(
              (router, json) -> routers.add(router(manifest, router, json.toString(), ready, all)));
    } catch (HarmonicaException e) {
      // of another version of ours: what the server says of it holds all the same
    }
    return new Model(name, version, digest, parts, routers, all.models().getOrDefault(name, NONE));
  }

  /** A part says whose it is; one that is not loaded says nothing, but for its name. */
  private static boolean isPart(Entry entry, String model, Map<String, ModelConfig> configs) {
    ModelConfig config = configs.get(entry.name());
    return config == null
        ? entry.name().startsWith(model + "-")
        : config.containsParameters(Manifest.PART_OF)
            && config.getParametersOrThrow(Manifest.PART_OF).getStringValue().equals(model);
  }

  private static RouterState router(
      Manifest manifest, String name, String json, Set<String> ready, Statistics all) {
    String model = manifest.model();
    Router router = Router.parse(json, "router " + name + " of model " + model);
    Schedule schedule = Schedule.of(router);
    List<String> ensembles =
        IntStream.range(0, schedule.routes().size())
            .mapToObj(route -> Names.route(model, name, route))
            .toList();
    List<String> asked = new ArrayList<>(ensembles);
    if (manifest.stepsPerRequest() > 1) {
      int stretches = schedule.stretches(manifest.stepsPerRequest()).size();
      IntStream.range(0, stretches).forEach(i -> asked.add(Names.stretch(model, name, i)));
    }
    Statistics.Model sum = NONE;
    for (String ensemble : asked) {
      sum = sum.plus(all.models().getOrDefault(ensemble, NONE));
    }
    int loaded = (int) ensembles.stream().filter(ready::contains).count();
    return new RouterState(name, router.steps(), loaded, ensembles.size(), sum);
  }
}
