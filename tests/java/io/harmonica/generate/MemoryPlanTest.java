package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Timesteps;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.runtime.Plan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        Timesteps.of(timesteps),
        0.5,
        BRANCHES,
        scores,
        reuse,
        com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode());
  }

  private static void input(ModelConfig.Builder config, String name, long size) {
    config.addInput(
        ModelInput.newBuilder().setName(name).setDataType(DataType.TYPE_FP32).addDims(size));
  }

  private static void output(ModelConfig.Builder config, String name, long size) {
    config.addOutput(
        ModelOutput.newBuilder().setName(name).setDataType(DataType.TYPE_FP32).addDims(size));
  }

  /** The ensemble of a call, as the exporter lists its inputs and outputs. */
  private static ModelConfig config(Schedule schedule, Program.Call call) {
    ModelConfig.Builder config = ModelConfig.newBuilder().setName(call.model());
    input(config, Names.SAMPLE, 4);
    output(config, call.steps() == 1 ? Names.NOISE_PREDICTION : Names.NEXT_SAMPLE, 8);
    Stretch.Placed placed = schedule.stretch(call.first(), call.steps());
    placed
        .before()
        .forEach(
            (read, age) -> input(config, Names.history(BRANCHES.get(read.column()), age), 100));
    for (Schedule.Output kept : placed.keeps()) {
      String branch = BRANCHES.get(kept.column());
      output(config, call.tensor(branch, kept.step() - call.first()), 100);
    }
    return config.build();
  }

  private static Program program(Schedule schedule, int size) {
    return Program.of(schedule, size, BRANCHES, Program.ensembles("m", "r", schedule, size));
  }

  private static Plan plan(Schedule schedule, Program program) {
    Map<String, ModelConfig> configs = new HashMap<>();
    for (Program.Call call : program.calls()) {
      configs.put(call.model(), config(schedule, call));
    }
    return new MemoryPlan(program, BATCH, Optional.empty()).plan(configs::get);
  }

  /** Plays the schedule: whatever a call reads is planned to live from the one that made it. */
  @ParameterizedTest
  @CsvSource({"0, 1", "1, 1", "2, 1", "3, 1", "4, 3", "5, 3", "6, 5", "7, 5", "8, 12", "9, 12"})
  void cachedOutputs_liveFromTheirCallToTheLastThatReads(int seed, int size) {
    Random random = new Random(seed);
    Reuse reuse = seed % 2 == 0 ? Reuse.LAST : Reuse.LINEAR;
    Schedule schedule = Schedule.of(router(12, random, reuse));
    Program program = program(schedule, size);
    List<Program.Call> calls = program.calls();
    Map<Schedule.Output, Plan.Item> items = new HashMap<>(); // the last reader's stays
    for (int c = 0; c < calls.size(); c++) {
      for (int s = calls.get(c).first(); s <= calls.get(c).last(); s++) {
        List<List<Integer>> reads = schedule.steps().get(s).reads();
        for (int b = 0; b < reads.size(); b++) {
          for (int made : reads.get(b)) {
            int maker = callOf(calls, made);
            if (maker < c) {
              Program.Call call = calls.get(maker);
              String name = call.tensor(BRANCHES.get(b), made - call.first());
              items.put(
                  new Schedule.Output(b, made), new Plan.Item(name, 4 * 100 * BATCH, maker, c));
            }
          }
        }
      }
    }
    Set<String> throughout = Set.of(Names.SAMPLE, Names.NOISE_PREDICTION, Names.NEXT_SAMPLE);
    assertThat(plan(schedule, program).items().stream().filter(i -> !throughout.contains(i.name())))
        .containsExactlyInAnyOrderElementsOf(items.values());
    assertThat(items.isEmpty()).isEqualTo(size == 12); // then nothing leaves the server
  }

  private static int callOf(List<Program.Call> calls, int step) {
    return IntStream.range(0, calls.size())
        .filter(c -> calls.get(c).first() <= step && step <= calls.get(c).last())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void whatTheLoopSends_andThePrediction_keepOnePlaceThroughout() {
    Schedule schedule = Schedule.of(router(5, new Random(1), Reuse.LINEAR));
    Map<String, Plan.Item> others =
        plan(schedule, program(schedule, 1)).items().stream()
            .filter(item -> !BRANCHES.contains(item.name()))
            .collect(Collectors.toMap(Plan.Item::name, item -> item));
    assertThat(others)
        .containsOnly(
            Map.entry(Names.SAMPLE, new Plan.Item(Names.SAMPLE, 32, 0, 4)),
            Map.entry(Names.NOISE_PREDICTION, new Plan.Item(Names.NOISE_PREDICTION, 64, 0, 4)));
  }
}
