package io.harmonica.router;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * What a router asks of a trajectory, step by step: which route, which outputs it reads with which
 * weights, and which it may drop afterwards.
 *
 * <p>Only computed outputs are ever kept: a reused one is never read again, and a run's is stored
 * only where all its branches are computed. An output is stored if and only if a later step reads
 * it, and dropped right after its last reader.
 *
 * @param routes the distinct routes, in order of first use
 * @param steps in execution order
 */
public record Schedule(List<Route> routes, List<Step> steps) {

  /**
   * One stored output.
   *
   * @param column whose it is: a branch's index, or behind all branches a run's
   * @param step that made it
   */
  public record Output(int column, int step) {}

  /**
   * One denoising step.
   *
   * @param route index into {@link Schedule#routes}
   * @param reads per column the steps whose outputs it reads, newest first; empty when computed, or
   *     when a run stands for the branch
   * @param weights {@code [columns][3]}, the weight of each read output, padded with zeros
   * @param dropped outputs that no later step reads, this step being their last reader
   */
  public record Step(
      int route, List<List<Integer>> reads, float[][] weights, List<Output> dropped) {
    public Step {
      reads = List.copyOf(reads);
      dropped = List.copyOf(dropped);
    }
  }

  public Schedule {
    routes = List.copyOf(routes);
    steps = List.copyOf(steps);
  }

  /**
   * What the tensors of its columns are called.
   *
   * @param branches names in execution order
   */
  public List<String> columns(List<String> branches) {
    return Run.columns(branches, routes.get(0).runs());
  }

  /** The route that a step takes. */
  public Route route(int step) {
    return routes.get(steps.get(step).route());
  }

  /** Steps {@code first} to {@code first + count} as one. */
  public Stretch.Placed stretch(int first, int count) {
    return Stretch.of(this, first, count);
  }

  /** The distinct stretches of so many steps, one after the other from step 0, in order of use. */
  public List<Stretch> stretches(int count) {
    List<Stretch> distinct = new ArrayList<>();
    for (int first = 0; first + count <= steps.size(); first += count) {
      Stretch stretch = stretch(first, count).stretch();
      if (!distinct.contains(stretch)) {
        distinct.add(stretch);
      }
    }
    return distinct;
  }

  /** A schedule that computes everything at every step. */
  public static Schedule uncached(int branches, int steps) {
    Step step =
        new Step(
            0,
            Collections.nCopies(branches, List.of()),
            new float[branches][Route.MAX_HISTORY],
            List.of());
    return new Schedule(List.of(Route.full(branches)), Collections.nCopies(steps, step));
  }

  /** Follows a router through a trajectory. */
  public static Schedule of(Router router) {
    int columns = router.branches().size() + router.runs().size();
    var made = new ArrayList<List<Integer>>(); // steps per column, newest first
    for (int c = 0; c < columns; c++) {
      made.add(new ArrayList<>());
    }
    var reads = new ArrayList<List<List<Integer>>>();
    var weights = new ArrayList<float[][]>();
    Map<Output, Integer> lastReader = new LinkedHashMap<>();
    for (int s = 0; s < router.steps(); s++) {
      var stepReads = new ArrayList<List<Integer>>();
      var stepWeights = new float[columns][Route.MAX_HISTORY];
      for (int c = 0; c < columns; c++) {
        List<Integer> history = made.get(c);
        if (router.makes(s, c)) {
          history.add(0, s);
        }
        double[] own = router.reads(s, c) ? router.reuse().weights(s, c, history) : new double[] {};
        for (int k = 0; k < own.length; k++) {
          stepWeights[c][k] = (float) own[k];
          lastReader.put(new Output(c, history.get(k)), s);
        }
        stepReads.add(List.copyOf(history.subList(0, own.length)));
      }
      reads.add(stepReads);
      weights.add(stepWeights);
    }
    return assemble(reads, weights, lastReader, router.runs());
  }

  private static Schedule assemble(
      List<List<List<Integer>>> reads,
      List<float[][]> weights,
      Map<Output, Integer> lastReader,
      List<Run> runs) {
    var droppedAfter = new LinkedHashMap<Integer, List<Output>>();
    lastReader.forEach(
        (output, step) -> droppedAfter.computeIfAbsent(step, s -> new ArrayList<>()).add(output));
    var routes = new ArrayList<Route>();
    var steps = new ArrayList<Step>();
    for (int s = 0; s < reads.size(); s++) {
      var stored = new Boolean[reads.get(s).size()];
      Arrays.setAll(stored, storedBy(s, lastReader));
      var route = Route.of(reads.get(s).stream().map(List::size).toList(), List.of(stored), runs);
      if (!routes.contains(route)) {
        routes.add(route);
      }
      List<Output> dropped = new ArrayList<>(droppedAfter.getOrDefault(s, List.of()));
      dropped.sort(Comparator.comparing(Output::column).thenComparing(Output::step));
      steps.add(new Step(routes.indexOf(route), reads.get(s), weights.get(s), dropped));
    }
    return new Schedule(routes, steps);
  }

  private static IntFunction<Boolean> storedBy(int step, Map<Output, Integer> lastReader) {
    return column -> lastReader.containsKey(new Output(column, step));
  }
}
