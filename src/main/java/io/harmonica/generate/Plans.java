package io.harmonica.generate;

import io.harmonica.repository.Program;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The memory plans of programs and their models' configurations, of which a server is asked: kept.
 */
final class Plans {
  private final Runtime runtime;
  private final Map<Program, Map<Rows, Plan>> plans = // programs are kept, too
      Collections.synchronizedMap(new IdentityHashMap<>());
  private final Map<String, ModelConfig> configs = new ConcurrentHashMap<>();

  /**
   * How many a trajectory's requests have.
   *
   * @param batch of a step
   * @param ahead whether anything is made for many steps at once, in the rows that follow
   */
  private record Rows(int batch, boolean ahead) {}

  Plans(Runtime runtime) {
    this.runtime = runtime;
  }

  /**
   * The plan of a trajectory.
   *
   * @param batch rows of a request
   * @param ahead what is made for many steps at once
   */
  Plan of(Program program, int batch, Optional<Ahead> ahead) {
    return plans
        .computeIfAbsent(program, p -> new ConcurrentHashMap<>())
        .computeIfAbsent(
            new Rows(batch, ahead.isPresent()),
            rows -> new MemoryPlan(program, batch, ahead).plan(this::config));
  }

  /** The configuration of a model. */
  ModelConfig config(String model) {
    return configs.computeIfAbsent(model, runtime::config);
  }

  /** After a fault: the server may have loaded other models. */
  void forget() {
    plans.clear();
    configs.clear();
  }
}
