package io.harmonica.router;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Consecutive steps that run as one, without the numbers that differ from place to place: equal
 * stretches share one ensemble.
 *
 * @param reads per step and branch the outputs it reads, newest first; empty where it computes
 * @param kept per step and branch whether a step after the stretch reads the output made there
 */
public record Stretch(List<List<List<Source>>> reads, List<List<Boolean>> kept) {

  /**
   * Where a reused output comes from.
   *
   * @param step of the stretch, from 0, that made it; {@link #BEFORE} for an earlier one
   * @param age 1 is the newest of its branch before the stretch; 0 if it was made in it
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
  }

  public int steps() {
    return reads.size();
  }

  /** What a step does; stored is what anything reads later, in the stretch or after it. */
  public Route route(int step) {
    List<Integer> histories = reads.get(step).stream().map(List::size).toList();
    List<Boolean> stored = new ArrayList<>();
    for (int b = 0; b < histories.size(); b++) {
      stored.add(kept.get(step).get(b) || isReadWithin(step, b));
    }
    return new Route(histories, stored);
  }

  private boolean isReadWithin(int step, int branch) {
    Source source = new Source(step, 0);
    return reads.stream().anyMatch(row -> row.get(branch).contains(source));
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
    int branches = schedule.route(0).histories().size();
    List<List<Integer>> computed = new ArrayList<>(); // before the stretch, newest first
    for (int b = 0; b < branches; b++) {
      List<Integer> steps = new ArrayList<>();
      for (int s = 0; s < first; s++) {
        if (schedule.route(s).histories().get(b) == 0) {
          steps.add(0, s);
        }
      }
      computed.add(steps);
    }
    Map<Schedule.Output, Integer> before = new HashMap<>();
    List<List<List<Source>>> reads = new ArrayList<>();
    for (int s = first; s < first + count; s++) {
      List<List<Source>> row = new ArrayList<>();
      for (int b = 0; b < branches; b++) {
        List<Source> sources = new ArrayList<>();
        for (int made : schedule.steps().get(s).reads().get(b)) {
          if (made >= first) {
            sources.add(new Source(made - first, 0));
          } else {
            int age = computed.get(b).indexOf(made) + 1;
            before.put(new Schedule.Output(b, made), age);
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
      for (int b = 0; b < branches; b++) {
        boolean isKept = isReadFrom(schedule, first + count, b, s);
        row.add(isKept);
        if (isKept) {
          keeps.add(new Schedule.Output(b, s));
        }
      }
      kept.add(List.copyOf(row));
    }
    return new Placed(new Stretch(reads, kept), first, before, keeps);
  }

  private static boolean isReadFrom(Schedule schedule, int from, int branch, int made) {
    return schedule.steps().subList(from, schedule.steps().size()).stream()
        .anyMatch(step -> step.reads().get(branch).contains(made));
  }
}
