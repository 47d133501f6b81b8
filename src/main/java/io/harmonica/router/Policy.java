package io.harmonica.router;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Timesteps;
import java.util.List;

/**
 * A rule that writes a router without training. To add one: a record that implements this, and a
 * line in the command {@code policy}.
 */
public interface Policy {

  /** What the command line and the router's {@code training} call it. */
  String policy();

  /**
   * The decision {@code [steps][branches]}: true computes. Row 0 is true throughout.
   *
   * @param branches names in execution order
   */
  boolean[][] computes(int steps, List<String> branches);

  /** The runs that are reused as one, at the steps that reuse all their branches. */
  default List<Run> runs(int steps, List<String> branches) {
    return List.of();
  }

  /** Adds the options to the router's {@code training}. */
  void describe(ObjectNode training);

  /** How reused outputs follow from computed ones. */
  default Reuse reuse() {
    return Reuse.LAST;
  }

  /** Writes the router: scores of 1 and 0, and the policy with its options as {@code training}. */
  default Router router(
      String name, String model, String sampler, Timesteps timesteps, List<String> branches) {
    boolean[][] computes = computes(timesteps.size(), branches);
    List<Run> runs = runs(timesteps.size(), branches);
    var scores = new double[timesteps.size()][branches.size() + runs.size()];
    for (int s = 0; s < scores.length; s++) {
      boolean[] row = computes[s];
      for (int b = 0; b < branches.size(); b++) {
        scores[s][b] = row[b] ? 1 : 0;
      }
      for (int r = 0; r < runs.size(); r++) {
        boolean computesAny = runs.get(r).branches().anyMatch(b -> row[b]);
        scores[s][branches.size() + r] = computesAny ? 1 : 0;
      }
    }
    ObjectNode training = JsonNodeFactory.instance.objectNode().put("policy", policy());
    describe(training);
    return new Router(
        name,
        model,
        sampler,
        timesteps.size(),
        timesteps,
        0.5,
        branches,
        runs,
        scores,
        reuse(),
        training);
  }

  /** The block of a branch: its name up to the first dot. */
  static String block(String branch) {
    int dot = branch.indexOf('.');
    return dot < 0 ? branch : branch.substring(0, dot);
  }

  /** Refuses an interval that computes nothing. */
  static void requireInterval(double interval) {
    if (!(interval >= 1 && Double.isFinite(interval))) {
      throw new IllegalArgumentException(
          "interval is %s, expected at least 1"
              .formatted(interval == Math.rint(interval) ? (long) interval + "" : interval + ""));
    }
  }

  /** Adds an interval to the router's {@code training}, a whole one as a whole number. */
  static void putInterval(ObjectNode training, double interval) {
    if (interval == Math.rint(interval)) {
      training.put("interval", (long) interval);
    } else {
      training.put("interval", interval);
    }
  }

  /** Refuses a share of reused branches that is not one. */
  static void requireCur(double cur) {
    if (!(cur >= 0 && cur < 1)) {
      throw new IllegalArgumentException(
          "cur is %s, expected 0 or more and below 1".formatted(cur));
    }
  }

  /** Refuses a share of reused branches that would reach into step 0. */
  static void requireCur(double cur, int steps) {
    requireCur(cur);
    double most = (steps - 1.0) / steps;
    if (cur > most) {
      throw new IllegalArgumentException(
          "cur is %s, expected at most %.4f: of %d steps the first computes everything"
              .formatted(cur, most, steps));
    }
  }
}
