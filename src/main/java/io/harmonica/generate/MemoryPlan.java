package io.harmonica.generate;

import io.harmonica.Port;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.Program.Keep;
import io.harmonica.repository.Program.Read;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Plan;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * When each tensor of a program is live: what the loop sends and the prediction keep one place
 * throughout; a cached output has one from the call that makes it to the last that reads it. What
 * is made and read within one call never leaves the server, and has none. A pass without some
 * blocks, beside a step's own, takes and makes what that does, in fewer rows, in the same places.
 *
 * @param batch rows of a request
 * @param ahead what is made for many steps at once: at first it lies where later each step's rows
 *     do
 */
record MemoryPlan(Program program, int batch, Optional<Ahead> ahead) {

  /**
   * Plans.
   *
   * @param configs of the calls' models, which have types and shapes
   */
  Plan plan(Function<String, ModelConfig> configs) {
    Set<String> throughout = new HashSet<>();
    Plan.Builder plan = new Plan.Builder();
    List<Program.Call> calls = program.calls();
    int end = calls.size() - 1;
    ahead.ifPresent(
        some ->
            some.ports()
                .filter(sized -> throughout.add(sized.port().name()))
                .forEach(sized -> plan.add(sized.port(), sized.rows(), 0, end)));
    for (int c = 0; c <= end; c++) {
      String model = calls.get(c).model();
      ModelConfig config = configs.apply(ahead.isPresent() ? Names.conditioned(model) : model);
      Set<String> cached = // they lie there already
          calls.get(c).reads().stream().map(Read::input).collect(Collectors.toSet());
      for (Port input : ConfigPorts.inputs(config)) {
        if (!cached.contains(input.name()) && throughout.add(input.name())) {
          plan.add(input, batch, 0, end);
        }
      }
      Map<String, Integer> lastCalls = new HashMap<>();
      for (Keep keep : calls.get(c).keeps()) {
        lastCalls.put(keep.output(), keep.lastCall());
      }
      for (Port output : ConfigPorts.outputs(config)) {
        Integer last = lastCalls.get(output.name());
        if (last != null) {
          plan.add(output, batch, c, last);
        } else if (throughout.add(output.name())) {
          plan.add(output, batch, 0, end);
        }
      }
    }
    return plan.build();
  }
}
