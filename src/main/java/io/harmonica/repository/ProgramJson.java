package io.harmonica.repository;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.repository.Program.Call;
import io.harmonica.repository.Program.Keep;
import io.harmonica.repository.Program.Read;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule.Output;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A {@link Program} as the manifest has it: each kind of call once, and the order in which they
 * come. Calls say what they read and keep relative to themselves, so that a router with a period
 * has few kinds.
 *
 * @param runs names of the runs whose outputs are cached, as columns behind the branches
 * @param calls the kinds
 * @param order of the trajectory, indices into {@code calls}
 * @param timesteps that the model is given, step by step
 * @param numbers of each step, as the {@link SamplerForm} takes them, for clients that step
 *     themselves; none where the sampler's steps are no such numbers
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record ProgramJson(
    List<String> runs,
    List<Kind> calls,
    List<Integer> order,
    Timesteps timesteps,
    List<List<Float>> numbers) {
  ProgramJson {
    runs = runs == null ? List.of() : runs;
  }

  /**
   * Calls that differ only in their place.
   *
   * @param reads how many steps before the call's first the output was made: as which inputs it is
   *     read, each {@code 3 column + age - 1} for input {@code COLUMN.AGE}
   * @param keeps how many further calls need it: which outputs are kept, each {@code steps column +
   *     step} for output {@code COLUMN}, or {@code COLUMN.stepSTEP} of a call of several steps
   * @param weights by step of the call, for those that take weights
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  record Kind(
      String model,
      int steps,
      Map<Integer, List<Integer>> reads,
      Map<Integer, List<Integer>> keeps,
      Map<Integer, List<Weights>> weights) {
    Kind {
      reads = reads == null ? Map.of() : reads;
      keeps = keeps == null ? Map.of() : keeps;
      weights = weights == null ? Map.of() : weights;
    }
  }

  /**
   * Columns whose histories have the same weights, newest first; all others are zero. Those of
   * branches go in one input together, those of a run in its own. Written as {@code [[1.5, -0.5],
   * [0, 1, 2]]}.
   */
  @JsonFormat(shape = JsonFormat.Shape.ARRAY)
  @JsonPropertyOrder({"of", "columns"})
  record Weights(List<Float> of, List<Integer> columns) {}

  /**
   * As it is written.
   *
   * @param branches names in execution order
   * @param timesteps that the model is given
   * @param numbers of each step; none where the sampler's steps are none
   */
  static ProgramJson of(
      Program program, List<String> branches, Timesteps timesteps, List<List<Float>> numbers) {
    Map<Kind, Integer> kinds = new LinkedHashMap<>();
    List<Integer> order = new ArrayList<>();
    for (int c = 0; c < program.calls().size(); c++) {
      Kind kind = kind(program.calls().get(c), c, branches, program.runs());
      kinds.putIfAbsent(kind, kinds.size());
      order.add(kinds.get(kind));
    }
    return new ProgramJson(program.runs(), List.copyOf(kinds.keySet()), order, timesteps, numbers);
  }

  private static Kind kind(Call call, int index, List<String> branches, List<String> runs) {
    Map<Integer, List<Integer>> reads = new TreeMap<>();
    for (Read read : call.reads()) {
      String age = read.input().substring(read.input().lastIndexOf('.') + 1);
      add(
          reads,
          call.first() - read.output().step(),
          Route.MAX_HISTORY * read.output().column() + Integer.parseInt(age) - 1);
    }
    Map<Integer, List<Integer>> keeps = new TreeMap<>();
    for (Keep keep : call.keeps()) {
      add(
          keeps,
          keep.lastCall() - index,
          call.steps() * keep.of().column() + keep.of().step() - call.first());
    }
    Map<Integer, List<Weights>> weights = new TreeMap<>();
    for (int step = 0; step < call.steps(); step++) {
      List<Weights> groups = new ArrayList<>();
      float[][] own = call.weights().get(call.tensor(Names.REUSE_WEIGHTS, step));
      if (own != null) {
        groups.addAll(grouped(own, 0));
      }
      for (int r = 0; r < runs.size(); r++) {
        float[][] row = call.weights().get(call.tensor(Names.weights(runs.get(r)), step));
        if (row != null) {
          groups.addAll(grouped(row, branches.size() + r));
        }
      }
      if (!groups.isEmpty()) {
        weights.put(step, groups);
      }
    }
    return new Kind(call.model(), call.steps(), reads, keeps, weights);
  }

  private static void add(Map<Integer, List<Integer>> lists, int key, int value) {
    lists.computeIfAbsent(key, k -> new ArrayList<>()).add(value);
  }

  private static List<Weights> grouped(float[][] rows, int firstColumn) {
    Map<List<Float>, List<Integer>> groups = new LinkedHashMap<>();
    for (int b = 0; b < rows.length; b++) {
      List<Float> weights = new ArrayList<>();
      for (float weight : rows[b]) {
        weights.add(weight);
      }
      while (!weights.isEmpty() && weights.get(weights.size() - 1) == 0) {
        weights.remove(weights.size() - 1);
      }
      if (!weights.isEmpty()) {
        groups.computeIfAbsent(weights, w -> new ArrayList<>()).add(firstColumn + b);
      }
    }
    return groups.entrySet().stream()
        .map(group -> new Weights(group.getKey(), group.getValue()))
        .toList();
  }

  /**
   * The program, with its places.
   *
   * @param branches names in execution order
   */
  Program program(List<String> branches) {
    List<String> columns = new ArrayList<>(branches);
    columns.addAll(runs);
    List<Call> made = new ArrayList<>();
    int first = 0;
    for (int index = 0; index < order.size(); index++) {
      int number = order.get(index);
      if (number < 0 || number >= calls.size()) {
        throw new HarmonicaException(
            HarmonicaException.Kind.MODEL,
            "a program's order names call %d of %d: export the model again"
                .formatted(number, calls.size()));
      }
      Kind kind = calls.get(number);
      made.add(call(kind, index, first, columns, branches.size()));
      first += kind.steps();
    }
    return new Program(made, runs);
  }

  private static Call call(Kind kind, int index, int first, List<String> columns, int branches) {
    List<Read> reads = new ArrayList<>();
    kind.reads()
        .forEach(
            (before, ports) -> {
              for (int port : ports) {
                int column = port / Route.MAX_HISTORY;
                String input = Names.history(columns.get(column), port % Route.MAX_HISTORY + 1);
                reads.add(new Read(input, new Output(column, first - before)));
              }
            });
    List<Keep> keeps = new ArrayList<>();
    kind.keeps()
        .forEach(
            (further, outputs) -> {
              for (int output : outputs) {
                int column = output / kind.steps();
                int step = output % kind.steps();
                String name = Names.ofStep(columns.get(column), step, kind.steps());
                keeps.add(new Keep(name, new Output(column, first + step), index + further));
              }
            });
    Map<String, float[][]> weights = new TreeMap<>();
    kind.weights()
        .forEach(
            (step, groups) -> {
              for (Weights group : groups) {
                for (int column : group.columns()) {
                  boolean ofRun = column >= branches;
                  String input = ofRun ? Names.weights(columns.get(column)) : Names.REUSE_WEIGHTS;
                  float[][] rows =
                      weights.computeIfAbsent(
                          Names.ofStep(input, step, kind.steps()),
                          name -> new float[ofRun ? 1 : branches][Route.MAX_HISTORY]);
                  for (int k = 0; k < group.of().size(); k++) {
                    rows[ofRun ? 0 : column][k] = group.of().get(k);
                  }
                }
              }
            });
    return new Call(kind.model(), first, kind.steps(), reads, keeps, weights);
  }
}
