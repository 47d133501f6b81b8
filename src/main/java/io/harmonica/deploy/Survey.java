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
 * The models and routers that a Triton server has, with their states and the requests that they
 * served: what {@code harmonica status} prints.
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
   * @param parts how many of its engines and ensembles are in each state, for example {@code READY}
   *     50
   * @param routers by name
   * @param uncached the requests of the step that computes everything
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

  /** Asks a server. */
  public static Survey of(TritonRuntime server) {
    Parts parts = Parts.of(server);
    Statistics statistics = server.statistics();
    List<Model> models =
        parts.bases().stream().map(base -> model(base, parts, statistics)).toList();
    return new Survey(server.description(), server.isReady(), models);
  }

  private static Model model(ModelConfig base, Parts all, Statistics statistics) {
    String name = base.getName();
    Map<String, Long> parts =
        all.index().stream()
            .filter(entry -> all.isPart(entry.name(), name))
            .collect(
                Collectors.groupingBy(
                    entry -> entry.state().isEmpty() ? "NOT LOADED" : entry.state(),
                    TreeMap::new,
                    Collectors.counting()));
    String version =
        all.index().stream()
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
              (router, json) ->
                  routers.add(router(manifest, router, json.toString(), all, statistics)));
    } catch (HarmonicaException e) {
      // of another version of ours: what the server says of it holds all the same
    }
    return new Model(
        name,
        version,
        digest,
        parts,
        routers,
        sum(Set.of(name, Names.conditioned(name)), statistics));
  }

  private static Statistics.Model sum(Set<String> calls, Statistics statistics) {
    return calls.stream()
        .map(call -> statistics.models().getOrDefault(call, Statistics.Model.NONE))
        .reduce(Statistics.Model.NONE, Statistics.Model::plus);
  }

  private static RouterState router(
      Manifest manifest, String name, String json, Parts all, Statistics statistics) {
    String model = manifest.model();
    Router router = Router.parse(json, "router " + name + " of model " + model);
    Schedule schedule = Schedule.of(router);
    Set<String> calls = Set.copyOf(all.askedOf(model, name));
    int routes = schedule.routes().size();
    int loaded =
        (int)
            IntStream.range(0, routes)
                .filter(route -> calls.contains(Names.route(model, name, route)))
                .count();
    return new RouterState(name, router.steps(), loaded, routes, sum(calls, statistics));
  }
}
