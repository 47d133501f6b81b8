package io.harmonica.router;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Consecutive branches that a step may reuse as one tensor: the change of the hidden state, and of
 * whatever else blocks hand on, from before the first to after the last, gates included. For
 * example {@code [0, 55]}, all branches of a DiT-XL/2: a step that reuses it runs no block.
 *
 * @param first index of its first branch
 * @param last index of its last one, itself included
 */
public record Run(int first, int last) {
  public Run {
    if (first < 0 || last < first) {
      throw new IllegalArgumentException("a run is from branch %d to %d".formatted(first, last));
    }
  }

  public boolean covers(int branch) {
    return first <= branch && branch <= last;
  }

  boolean overlaps(Run other) {
    return first <= other.last && other.first <= last;
  }

  /** Its branches. */
  public IntStream branches() {
    return IntStream.rangeClosed(first, last);
  }

  /** What its tensors are called: {@code block00.attention-block27.mlp}. */
  public String name(List<String> branches) {
    return branches.get(first) + "-" + branches.get(last);
  }

  /** The names of all that a router decides about: of every branch, then of every run. */
  public static List<String> columns(List<String> branches, List<Run> runs) {
    return Stream.concat(branches.stream(), runs.stream().map(run -> run.name(branches))).toList();
  }
}
