package io.harmonica.generate;

import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.router.Schedule.Output;
import io.harmonica.runtime.Plan;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * When each tensor of a trajectory is live, from its routes: what the loop sends and the prediction
 * keep one place throughout; a cached output has one from the call that makes it to the last that
 * reads it. What is made and read within one call never leaves the server, and has none.
 *
 * @param calls of the trajectory, in order
 */
record MemoryPlan(Schedule schedule, List<String> branches, int batch, List<Calls.Span> calls) {

  /**
   * Plans.
   *
   * @param configs of the calls' models, which have types and shapes
   */
  Plan plan(Function<String, ModelConfig> configs) {
    Map<Output, Integer> lastReaders = lastReaders();
    Set<String> cached = cachedInputs();
    Set<String> throughout = new HashSet<>();
    Plan.Builder plan = new Plan.Builder();
    int end = calls.size() - 1;
    for (int c = 0; c <= end; c++) {
      ModelConfig config = configs.apply(calls.get(c).model());
      for (ModelInput input : config.getInputList()) {
        if (!cached.contains(input.getName()) && throughout.add(input.getName())) {
          plan.add(input.getName(), input.getDataType(), input.getDimsList(), batch, 0, end);
        }
      }
      Map<String, Output> made = made(calls.get(c));
      for (ModelOutput output : config.getOutputList()) {
        Output branch = made.get(output.getName());
        Integer lastReader = lastReaders.get(branch);
        if (lastReader != null) {
          plan.add(
              output.getName(), output.getDataType(), output.getDimsList(), batch, c, lastReader);
        } else if (branch == null && throughout.add(output.getName())) {
          plan.add(output.getName(), output.getDataType(), output.getDimsList(), batch, 0, end);
        }
      }
    }
    return plan.build();
  }

  /** By output the last call that reads it, where that is another than the one that made it. */
  private Map<Output, Integer> lastReaders() {
    Map<Output, Integer> lastReaders = new HashMap<>();
    for (int c = 0; c < calls.size(); c++) {
      Calls.Span call = calls.get(c);
      for (Schedule.Step step : schedule.steps().subList(call.first(), call.last() + 1)) {
        for (Output output : step.dropped()) {
          if (output.step() < call.first()) {
            lastReaders.put(output, c);
          }
        }
      }
    }
    return lastReaders;
  }

  /** The branch outputs that a call may put out, by their names there. */
  private Map<String, Output> made(Calls.Span call) {
    Map<String, Output> made = new HashMap<>();
    for (int b = 0; b < branches.size(); b++) {
      for (int s = call.first(); s <= call.last(); s++) {
        made.put(call.output(branches.get(b), s), new Output(b, s));
      }
    }
    return made;
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
