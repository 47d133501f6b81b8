package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.repository.Names;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.runtime.Plan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {
  private static final List<String> BRANCHES = List.of("a", "b", "c");
  private static final int BATCH = 2;

  private static Router router(int steps, Random random, Reuse reuse) {
    double[][] scores = new double[steps][BRANCHES.size()];
    for (int s = 0; s < steps; s++) {
      for (int b = 0; b < BRANCHES.size(); b++) {
        scores[s][b] = s == 0 || random.nextInt(3) == 0 ? 1 : 0;
      }
    }
    List<Integer> timesteps = IntStream.range(0, steps).map(s -> steps - 1 - s).boxed().toList();
    return new Router(
        "r",
        "DiT",
        "ddim",
        steps,
        timesteps,
        0.5,
        BRANCHES,
        scores,
        reuse,
        com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode());
  }

  /** The ensemble of a step, as the exporter lists its inputs and outputs. */
  private static ModelConfig config(Schedule schedule, int step) {
    ModelConfig.Builder config = ModelConfig.newBuilder().setName("step" + step);
    input(config, Names.SAMPLE, 4);
    output(config, Names.NOISE_PREDICTION, 8);
    for (int b = 0; b < BRANCHES.size(); b++) {
      for (int age = 1; age <= schedule.steps().get(step).reads().get(b).size(); age++) {
        input(config, Names.history(BRANCHES.get(b), age), 100);
      }
      if (schedule.route(step).stored().get(b)) {
        output(config, BRANCHES.get(b), 100);
      }
    }
    return config.build();
  }

  private static void input(ModelConfig.Builder config, String name, long size) {
    config.addInput(
        ModelInput.newBuilder().setName(name).setDataType(DataType.TYPE_FP32).addDims(size));
  }

  private static void output(ModelConfig.Builder config, String name, long size) {
    config.addOutput(
        ModelOutput.newBuilder().setName(name).setDataType(DataType.TYPE_FP32).addDims(size));
  }

  private static Plan plan(Schedule schedule) {
    Map<String, ModelConfig> configs = new HashMap<>();
    for (int s = 0; s < schedule.steps().size(); s++) {
      configs.put("step" + s, config(schedule, s));
    }
    return new MemoryPlan(schedule, BRANCHES, BATCH).plan(s -> "step" + s, configs::get);
  }

  /** Plays the schedule: whatever a step reads is planned to live from where it was made. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  void cachedOutputs_liveFromTheirStepToTheirLastReader(int seed) {
    Random random = new Random(seed);
    Reuse reuse = seed % 2 == 0 ? Reuse.LAST : Reuse.LINEAR;
    Schedule schedule = Schedule.of(router(12, random, reuse));
    Plan plan = plan(schedule);
    Map<Schedule.Output, Integer> lastReaders = new HashMap<>();
    for (int s = 0; s < schedule.steps().size(); s++) {
      List<List<Integer>> reads = schedule.steps().get(s).reads();
      for (int b = 0; b < reads.size(); b++) {
        for (int made : reads.get(b)) {
          lastReaders.put(new Schedule.Output(b, made), s);
        }
      }
    }
    List<Plan.Item> expected =
        lastReaders.entrySet().stream()
            .map(
                read ->
                    new Plan.Item(
                        BRANCHES.get(read.getKey().branch()),
                        4 * 100 * BATCH,
                        read.getKey().step(),
                        read.getValue()))
            .toList();
    assertThat(plan.items().stream().filter(item -> BRANCHES.contains(item.name())))
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void whatTheLoopSends_andThePrediction_keepOnePlaceThroughout() {
    Schedule schedule = Schedule.of(router(5, new Random(1), Reuse.LINEAR));
    Map<String, Plan.Item> others =
        plan(schedule).items().stream()
            .filter(item -> !BRANCHES.contains(item.name()))
            .collect(Collectors.toMap(Plan.Item::name, item -> item));
    assertThat(others)
        .containsOnly(
            Map.entry(Names.SAMPLE, new Plan.Item(Names.SAMPLE, 32, 0, 4)),
            Map.entry(Names.NOISE_PREDICTION, new Plan.Item(Names.NOISE_PREDICTION, 64, 0, 4)));
  }
}
