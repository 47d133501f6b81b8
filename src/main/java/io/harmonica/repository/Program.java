package io.harmonica.repository;

import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.router.Schedule.Output;
import io.harmonica.router.Stretch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a trajectory asks of its runtime, call by call: which ensemble runs, which cached outputs of
 * branches and runs go in, which come out to be cached, and until when. Export and deployment make
 * it once for each router; every client only follows it.
 *
 * <p>For example, a router that computes step 0, reuses all at step 1, and goes on so, makes calls
 * of two kinds: {@code dit-fora-route00}, which keeps {@code block00.mlp} and the others for one
 * more call, and {@code dit-fora-route01}, which reads them as {@code block00.mlp.1}.
 *
 * @param calls in order; together they take every step of the trajectory once
 * @param runs names of the runs whose outputs they cache; their columns are behind the branches'
 */
public record Program(List<Call> calls, List<String> runs) {
  /** Denoising steps where neither a request nor a router says. */
  public static final int DEFAULT_STEPS = 20;

  /**
   * One request.
   *
   * @param model the ensemble that runs
   * @param first denoising step of the trajectory that it takes
   * @param steps how many it takes, as a rule one
   * @param reads inputs that earlier calls made
   * @param keeps outputs that later calls read
   * @param weights of the reused outputs, by the input that takes them: {@code [branches][3]} for
   *     those of branches, {@code [1][3]} for a run's own
   */
  public record Call(
      String model,
      int first,
      int steps,
      List<Read> reads,
      List<Keep> keeps,
      Map<String, float[][]> weights) {
    public Call {
      reads = List.copyOf(reads);
      keeps = List.copyOf(keeps);
      weights = Map.copyOf(weights);
    }

    /** Whether it takes several steps, the sampler's too. */
    public boolean isStretch() {
      return steps > 1;
    }

    /** The last denoising step that it takes. */
    public int last() {
      return first + steps - 1;
    }

    /**
     * What the ensemble calls a tensor of one of its steps.
     *
     * @param step from 0
     */
    public String tensor(String name, int step) {
      return Names.ofStep(name, step, steps);
    }
  }

  /** An input of a call: an output of a branch or a run that an earlier one made. */
  public record Read(String input, Output output) {}

  /**
   * An output of a call, to be cached.
   *
   * @param lastCall the last call that reads it, by its place in the program
   */
  public record Keep(String output, Output of, int lastCall) {}

  public Program {
    calls = List.copyOf(calls);
    runs = List.copyOf(runs);
  }

  /** Denoising steps of the trajectory. */
  public int steps() {
    return calls.isEmpty() ? 0 : calls.get(calls.size() - 1).last() + 1;
  }

  /**
   * The program that computes every branch of every step.
   *
   * @param size steps of a request, where there are so many left
   */
  public static Program uncached(String model, int steps, int size) {
    List<Call> calls = new ArrayList<>();
    for (int first = 0; first < steps; ) {
      boolean several = size > 1 && first + size <= steps;
      String ensemble = several ? Names.stretch(model, Names.NO_ROUTER, 0) : model;
      Call call = new Call(ensemble, first, several ? size : 1, List.of(), List.of(), Map.of());
      calls.add(call);
      first = call.last() + 1;
    }
    return new Program(calls, List.of());
  }

  /** The ensembles of {@link #uncached}, by name. */
  public static Map<String, Stretch> uncachedEnsembles(String model, int branches, int size) {
    Schedule schedule = Schedule.uncached(branches, size);
    Map<String, Stretch> ensembles = new LinkedHashMap<>();
    ensembles.put(model, schedule.stretch(0, 1).stretch());
    if (size > 1) {
      ensembles.put(Names.stretch(model, Names.NO_ROUTER, 0), schedule.stretch(0, size).stretch());
    }
    return ensembles;
  }

  /**
   * The ensembles that a router needs, by name: one for each distinct route, and, where several
   * steps may go in one request, one for each distinct stretch of so many. Both are numbered in the
   * order in which a trajectory first uses them.
   *
   * @param size steps of a request, 1 where each goes by itself
   */
  public static Map<String, Stretch> ensembles(
      String model, String router, Schedule schedule, int size) {
    Map<String, Stretch> ensembles = new LinkedHashMap<>();
    List<Stretch> routes = schedule.stretches(1);
    IntStream.range(0, routes.size())
        .forEach(i -> ensembles.put(Names.route(model, router, i), routes.get(i)));
    if (size > 1) {
      List<Stretch> stretches = schedule.stretches(size);
      IntStream.range(0, stretches.size())
          .forEach(i -> ensembles.put(Names.stretch(model, router, i), stretches.get(i)));
    }
    return ensembles;
  }

  /**
   * The program of a schedule: requests of {@code size} steps, and the steps that are left over at
   * the end one by one.
   *
   * @param branches names in execution order
   * @param ensembles what there is, by name
   */
  public static Program of(
      Schedule schedule, int size, List<String> branches, Map<String, Stretch> ensembles) {
    Map<Stretch, String> names = new HashMap<>();
    ensembles.forEach((name, stretch) -> names.putIfAbsent(stretch, name));
    List<Stretch.Placed> placed = new ArrayList<>();
    int first = 0;
    while (first < schedule.steps().size()) {
      int steps = first + size <= schedule.steps().size() ? size : 1;
      placed.add(schedule.stretch(first, steps));
      first += steps;
    }
    Map<Output, Integer> lastCalls = new HashMap<>();
    for (int c = 0; c < placed.size(); c++) {
      for (Output output : placed.get(c).before().keySet()) {
        lastCalls.put(output, c); // later ones overwrite
      }
    }
    List<String> columns = schedule.columns(branches);
    return new Program(
        placed.stream()
            .map(each -> call(schedule, each, columns, names.get(each.stretch()), lastCalls))
            .toList(),
        columns.subList(branches.size(), columns.size()));
  }

  private static Call call(
      Schedule schedule,
      Stretch.Placed placed,
      List<String> columns,
      String model,
      Map<Output, Integer> lastCalls) {
    int steps = placed.stretch().steps();
    List<Read> reads = new ArrayList<>();
    placed
        .before()
        .forEach(
            (output, age) ->
                reads.add(new Read(Names.history(columns.get(output.column()), age), output)));
    reads.sort(
        Comparator.comparing((Read read) -> read.output().column())
            .thenComparing(read -> -read.output().step()));
    List<Keep> keeps = new ArrayList<>();
    for (Output output : placed.keeps()) {
      String name =
          Names.ofStep(columns.get(output.column()), output.step() - placed.first(), steps);
      keeps.add(new Keep(name, output, lastCalls.get(output)));
    }
    Map<String, float[][]> weights = new HashMap<>();
    for (int i = 0; i < steps; i++) {
      Route route = placed.stretch().route(i);
      float[][] rows = schedule.steps().get(placed.first() + i).weights();
      int branches = route.branches();
      if (route.forecastsBranches()) {
        weights.put(Names.ofStep(Names.REUSE_WEIGHTS, i, steps), Arrays.copyOf(rows, branches));
      }
      for (int r = 0; r < route.runs().size(); r++) {
        if (route.runHistory(r) > 1) {
          String input = Names.weights(columns.get(branches + r));
          weights.put(Names.ofStep(input, i, steps), new float[][] {rows[branches + r]});
        }
      }
    }
    return new Call(model, placed.first(), steps, reads, keeps, weights);
  }
}
