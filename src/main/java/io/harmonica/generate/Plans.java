package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Schedule;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The memory plans of a model's routers, kept: configurations are asked of the server. */
final class Plans {
  private final Runtime runtime;
  private final Manifest manifest;
  private final Map<Key, Plan> plans = new ConcurrentHashMap<>();

  private record Key(String router, int steps, int stepsPerRequest, int batch) {}

  Plans(Runtime runtime, Manifest manifest) {
    this.runtime = runtime;
    this.manifest = manifest;
  }

  /**
   * The plan of a trajectory.
   *
   * @param stretches where several steps go in one request
   */
  Plan of(String router, Schedule schedule, Optional<Stretches> stretches, int batch) {
    int several = stretches.map(Stretches::size).orElse(1);
    Key key = new Key(router, schedule.steps().size(), several, batch);
    Plan known = plans.get(key);
    if (known == null) { // two that ask at once get the same
      Map<String, ModelConfig> configs = new HashMap<>();
      known =
          new MemoryPlan(
                  schedule,
                  manifest.branches(),
                  batch,
                  Calls.spans(manifest, router, schedule, stretches))
              .plan(name -> configs.computeIfAbsent(name, runtime::config));
      plans.put(key, known);
    }
    return known;
  }

  /** After a fault: the server may have loaded other models. */
  void forget() {
    plans.clear();
  }
}
