package io.harmonica.router;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Consecutive steps that run as one, without the numbers that differ from place to place: equal
 * stretches share one ensemble.
 *
 * @param reads per step and column the outputs it reads, newest first; empty where it computes, or
 *     a run stands for the branch
 * @param kept per step and column whether a step after the stretch reads the output made there
 * @param runs whose columns are behind the branches'
 * @param leftOut branches that no step runs, whatever the routers
 */
public record Stretch(
    List<List<List<Source>>> reads,
    List<List<Boolean>> kept,
    List<Run> runs,
    Set<Integer> leftOut) {

  /**
   * Where a reused output comes from.
   *
   * @param step of the stretch, from 0, that made it; {@link #BEFORE} for an earlier one
   * @param age 1 is the newest of its column before the stretch; 0 if it was made in it
   */
  public record Source(int step, int age) {
    public static final int BEFORE = -1;

    public boolean isBefore() {
      return step == BEFORE;
    }
  }

  public Stretch {
    reads = List.copyOf(reads);
    kept = List.copyOf(kept);
    runs = List.copyOf(runs);
    leftOut = Set.copyOf(leftOut);
  }

  /** A step that computes all branches but these, and stores nothing. */
  public static Stretch without(int branches, Set<Integer> leftOut) {
    return new Stretch(
        List.of(Collections.nCopies(branches, List.of())),
        List.of(Collections.nCopies(branches, false)),
        List.of(),
        leftOut);
  }

  public int steps() {
    return reads.size();
  }

  /** What a step does; stored is what anything reads later, in the stretch or after it. */
  public Route route(int step) {
    List<Integer> counts = reads.get(step).stream().map(List::size).toList();
    List<Boolean> stored = new ArrayList<>();
    for (int c = 0; c < counts.size(); c++) {
      stored.add(kept.get(step).get(c) || isReadWithin(step, c));
    }
    return Route.of(counts, stored, runs).without(leftOut);
  }

  private boolean isReadWithin(int step, int column) {
    Source source = new Source(step, 0);
    return reads.stream().anyMatch(row -> row.get(column).contains(source));
  }

  /**
   * A stretch in its place: what it reads from before and keeps for after, by where it was made.
   */
  public record Placed(
      Stretch stretch,
      int first,
      Map<Schedule.Output, Integer> before, // its age
      List<Schedule.Output> keeps) {}

  /** Steps {@code first} to {@code first + count} of a schedule. */
  static Placed of(Schedule schedule, int first, int count) {
    int columns = schedule.route(0).histories().size();
    List<List<Integer>> made = new ArrayList<>(); // before the stretch, newest first
    for (int c = 0; c < columns; c++) {
      List<Integer> steps = new ArrayList<>();
      for (int s = 0; s < first; s++) {
        if (schedule.route(s).makes(c)) {
          steps.add(0, s);
        }
      }
      made.add(steps);
    }
    Map<Schedule.Output, Integer> before = new HashMap<>();
    List<List<List<Source>>> reads = new ArrayList<>();
    for (int s = first; s < first + count; s++) {
      List<List<Source>> row = new ArrayList<>();
      for (int c = 0; c < columns; c++) {
        List<Source> sources = new ArrayList<>();
        for (int from : schedule.steps().get(s).reads().get(c)) {
          if (from >= first) {
            sources.add(new Source(from - first, 0));
          } else {
            int age = made.get(c).indexOf(from) + 1;
            before.put(new Schedule.Output(c, from), age);
            sources.add(new Source(Source.BEFORE, age));
          }
        }
        row.add(List.copyOf(sources));
      }
      reads.add(List.copyOf(row));
    }
    List<Schedule.Output> keeps = new ArrayList<>();
    List<List<Boolean>> kept = new ArrayList<>();
    for (int s = first; s < first + count; s++) {
      List<Boolean> row = new ArrayList<>();
      for (int c = 0; c < columns; c++) {
        boolean isKept = isReadFrom(schedule, first + count, c, s);
        row.add(isKept);
        if (isKept) {
          keeps.add(new Schedule.Output(c, s));
        }
      }
      kept.add(List.copyOf(row));
    }
    Stretch stretch = new Stretch(reads, kept, schedule.route(0).runs(), Set.of());
    return new Placed(stretch, first, before, keeps);
  }

  private static boolean isReadFrom(Schedule schedule, int from, int column, int made) {
    return schedule.steps().subList(from, schedule.steps().size()).stream()
        .anyMatch(step -> step.reads().get(column).contains(made));
  }
}
