package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Makes the inputs that say what a trajectory draws, in as many rows as a call takes.
 *
 * @param guided whether guidance doubles the batch
 * @param scale of guidance, for a model that is told it
 */
record Conditions(
    Runtime runtime, Manifest manifest, boolean guided, double scale, Content content) {

  /**
   * Those of the whole batch that are asked for; the caller closes them.
   *
   * @param times how often the batch is in them, one after the other
   */
  Map<String, Tensor> of(int times, Predicate<String> asked) {
    return new Condition(runtime, manifest, guided, scale, times).of(content, asked);
  }

  /** Without the rows that guidance leads away from. */
  Conditions alone() {
    return new Conditions(runtime, manifest, false, scale, content);
  }
}
