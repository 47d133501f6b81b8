package io.harmonica.router;

import java.util.Collections;
import java.util.List;

/**
 * What one step does, without its numbers; steps with equal routes share one ensemble.
 *
 * @param histories per branch, in execution order: 0 computes it, k in 1..3 reuses its last k
 *     computed outputs
 * @param stored per branch: whether a later step reads the output computed here
 */
public record Route(List<Integer> histories, List<Boolean> stored) {

  /** The longest history that an engine takes. */
  public static final int MAX_HISTORY = 3;

  public Route {
    histories = List.copyOf(histories);
    stored = List.copyOf(stored);
  }

  /** A route that computes every branch and stores nothing: one uncached step. */
  public static Route full(int branches) {
    return new Route(Collections.nCopies(branches, 0), Collections.nCopies(branches, false));
  }

  /** What a branch does, as engine names write it: {@code c} or the digit of its history. */
  public char variant(int branch) {
    int history = histories.get(branch);
    return history == 0 ? 'c' : (char) ('0' + history);
  }
}
