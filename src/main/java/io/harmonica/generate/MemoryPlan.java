package io.harmonica.generate;

import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.runtime.Plan;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * When each tensor of a trajectory is live, from its routes: what the loop sends and the prediction
 * keep one place throughout; a cached output has one from its step to its last reader.
 */
record MemoryPlan(Schedule schedule, List<String> branches, int batch) {

  /**
   * Plans.
   *
   * @param ensemble the model of each step
   * @param configs of those models, which have types and shapes
   */
  Plan plan(IntFunction<String> ensemble, Function<String, ModelConfig> configs) {
    Map<Schedule.Output, Integer> lastReaders = new HashMap<>();
    for (int s = 0; s < schedule.steps().size(); s++) {
      for (Schedule.Output output : schedule.steps().get(s).dropped()) {
        lastReaders.put(output, s);
      }
    }
    Set<String> cached = cachedInputs();
    Set<String> throughout = new HashSet<>();
    Plan.Builder plan = new Plan.Builder();
    int end = schedule.steps().size() - 1;
    for (int s = 0; s <= end; s++) {
      ModelConfig config = configs.apply(ensemble.apply(s));
      for (ModelInput input : config.getInputList()) {
        if (!cached.contains(input.getName()) && throughout.add(input.getName())) {
          plan.add(input.getName(), input.getDataType(), input.getDimsList(), batch, 0, end);
        }
      }
      for (ModelOutput output : config.getOutputList()) {
        int branch = branches.indexOf(output.getName());
        Integer lastReader = lastReaders.get(new Schedule.Output(branch, s));
        if (lastReader != null) {
          plan.add(
              output.getName(), output.getDataType(), output.getDimsList(), batch, s, lastReader);
        } else if (branch < 0 && throughout.add(output.getName())) {
          plan.add(output.getName(), output.getDataType(), output.getDimsList(), batch, 0, end);
        }
      }
    }
    return plan.build();
  }

  /** They are outputs of earlier steps, and lie there already. */
  private Set<String> cachedInputs() {
    Set<String> names = new HashSet<>();
    for (String branch : branches) {
      for (int age = 1; age <= Route.MAX_HISTORY; age++) {
        names.add(Names.history(branch, age));
      }
    }
    return names;
  }
}
