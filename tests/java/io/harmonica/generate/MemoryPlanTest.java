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
import io.harmonica.router.Stretch;
import io.harmonica.runtime.Plan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

  /** The ensemble of several steps, as the exporter lists its inputs and outputs. */
  private static ModelConfig config(Schedule schedule, Calls.Span call) {
    ModelConfig.Builder config = ModelConfig.newBuilder().setName(call.model());
    input(config, Names.SAMPLE, 4);
    output(config, Names.NEXT_SAMPLE, 4);
    Stretch.Placed placed = schedule.stretch(call.first(), call.last() - call.first() + 1);
    placed
        .before()
        .forEach(
            (read, age) -> input(config, Names.history(BRANCHES.get(read.branch()), age), 100));
    for (Schedule.Output kept : placed.keeps()) {
      output(config, call.output(BRANCHES.get(kept.branch()), kept.step()), 100);
    }
    return config.build();
  }

  /** Stretches of so many steps, what is left over by ones. */
  private static List<Calls.Span> calls(int steps, int size) {
    List<Calls.Span> calls = new ArrayList<>();
    for (int first = 0; first < steps; first = calls.get(calls.size() - 1).last() + 1) {
      int last = first + size <= steps ? first + size - 1 : first;
      calls.add(new Calls.Span(first, last, "call" + first));
    }
    return calls;
  }

  private static Plan plan(Schedule schedule, List<Calls.Span> calls) {
    Map<String, ModelConfig> configs = new HashMap<>();
    for (Calls.Span call : calls) {
      configs.put(
          call.model(), call.isStretch() ? config(schedule, call) : config(schedule, call.first()));
    }
    return new MemoryPlan(schedule, BRANCHES, BATCH, calls).plan(configs::get);
  }

  /** Plays the schedule: whatever a call reads is planned to live from the one that made it. */
  @ParameterizedTest
  @CsvSource({"0, 1", "1, 1", "2, 1", "3, 1", "4, 3", "5, 3", "6, 5", "7, 5", "8, 12", "9, 12"})
  void cachedOutputs_liveFromTheirCallToTheLastThatReads(int seed, int size) {
    Random random = new Random(seed);
    Reuse reuse = seed % 2 == 0 ? Reuse.LAST : Reuse.LINEAR;
    Schedule schedule = Schedule.of(router(12, random, reuse));
    List<Calls.Span> calls = calls(12, size);
    Map<Schedule.Output, Plan.Item> items = new HashMap<>(); // the last reader's stays
    for (int c = 0; c < calls.size(); c++) {
      for (int s = calls.get(c).first(); s <= calls.get(c).last(); s++) {
        List<List<Integer>> reads = schedule.steps().get(s).reads();
        for (int b = 0; b < reads.size(); b++) {
          for (int made : reads.get(b)) {
            int maker = callOf(calls, made);
            if (maker < c) {
              String name = calls.get(maker).output(BRANCHES.get(b), made);
              items.put(
                  new Schedule.Output(b, made), new Plan.Item(name, 4 * 100 * BATCH, maker, c));
            }
          }
        }
      }
    }
    Set<String> throughout = Set.of(Names.SAMPLE, Names.NOISE_PREDICTION, Names.NEXT_SAMPLE);
    assertThat(plan(schedule, calls).items().stream().filter(i -> !throughout.contains(i.name())))
        .containsExactlyInAnyOrderElementsOf(items.values());
    assertThat(items.isEmpty()).isEqualTo(size == 12); // then nothing leaves the server
  }

  private static int callOf(List<Calls.Span> calls, int step) {
    return IntStream.range(0, calls.size())
        .filter(c -> calls.get(c).first() <= step && step <= calls.get(c).last())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void whatTheLoopSends_andThePrediction_keepOnePlaceThroughout() {
    Schedule schedule = Schedule.of(router(5, new Random(1), Reuse.LINEAR));
    Map<String, Plan.Item> others =
        plan(schedule, calls(5, 1)).items().stream()
            .filter(item -> !BRANCHES.contains(item.name()))
            .collect(Collectors.toMap(Plan.Item::name, item -> item));
    assertThat(others)
        .containsOnly(
            Map.entry(Names.SAMPLE, new Plan.Item(Names.SAMPLE, 32, 0, 4)),
            Map.entry(Names.NOISE_PREDICTION, new Plan.Item(Names.NOISE_PREDICTION, 64, 0, 4)));
  }
}
