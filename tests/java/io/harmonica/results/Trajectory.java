package io.harmonica.results;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How pictures are drawn: a sampler in so many steps, for example {@code ddim20}.
 *
 * @param steps of the uncached trajectory
 */
record Trajectory(String sampler, int steps) {
  private static final Pattern NAME = Pattern.compile("([a-z+-]+?)(\\d+)");

  /** As papers write them. */
  private static final Map<String, String> TITLES =
      Map.of(
          "ddim", "DDIM",
          "dpm-solver++", "DPM-Solver++",
          "iddpm", "IDDPM",
          "sa-solver", "SA-Solver");

  static Trajectory of(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "--trajectories: '%s' is no sampler with its steps, such as ddim20".formatted(name));
    }
    return new Trajectory(matcher.group(1), Integer.parseInt(matcher.group(2)));
  }

  String name() {
    return sampler + steps;
  }

  /** Of its table. */
  String title() {
    return "%d %s steps".formatted(steps, TITLES.getOrDefault(sampler, sampler));
  }

  Trajectory withSteps(int count) {
    return new Trajectory(sampler, count);
  }
}
