package io.harmonica.generate;

import io.harmonica.repository.Program;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The memory plans of programs, kept: configurations are asked of the server. */
final class Plans {
  private final Runtime runtime;
  private final Map<Program, Map<Integer, Plan>> plans = // by batch; programs are kept, too
      Collections.synchronizedMap(new IdentityHashMap<>());

  Plans(Runtime runtime) {
    this.runtime = runtime;
  }

  /**
   * The plan of a trajectory.
   *
   * @param batch rows of a request
   */
  Plan of(Program program, int batch) {
    Map<Integer, Plan> known = plans.computeIfAbsent(program, p -> new ConcurrentHashMap<>());
    Plan plan = known.get(batch);
    if (plan == null) { // two that ask at once get the same
      Map<String, ModelConfig> configs = new HashMap<>();
      plan =
          new MemoryPlan(program, batch)
              .plan(name -> configs.computeIfAbsent(name, runtime::config));
      known.put(batch, plan);
    }
    return plan;
  }

  /** After a fault: the server may have loaded other models. */
  void forget() {
    plans.clear();
  }
}
