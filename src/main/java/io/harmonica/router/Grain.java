package io.harmonica.router;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a policy, or a training, reuses as one. */
public enum Grain {
  /** Each branch's output by itself, under the gates of the step that reuses it. */
  BRANCH,

  /** What each block changes, with the gates of the step that computed it. */
  RUN,

  /** What all blocks change together: a step that reuses it runs none of them. */
  MODEL;

  /** The name that the command line knows it by. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The runs that it asks for.
   *
   * @param branches names in execution order
   */
  public List<Run> runs(List<String> branches) {
    return switch (this) {
      case BRANCH -> List.of();
      case RUN -> blocks(branches);
      case MODEL -> List.of(new Run(0, branches.size() - 1));
    };
  }

  /** Each block as a run. */
  private static List<Run> blocks(List<String> branches) {
    List<Run> runs = new ArrayList<>();
    int first = 0;
    for (int b = 1; b <= branches.size(); b++) {
      if (b == branches.size()
          || !Policy.block(branches.get(b)).equals(Policy.block(branches.get(first)))) {
        runs.add(new Run(first, b - 1));
        first = b;
      }
    }
    return runs;
  }
}
