package io.harmonica.sampler;

/** Holds a multistep sampler to its order: what it remembers belongs to the step before. */
final class InOrder {
  private int next;

  void require(int step) {
    if (step != next) {
      throw new IllegalArgumentException(
          "step %d came where step %d is due: a trajectory has a stepper of its own"
              .formatted(step, next));
    }
    next++;
  }
}
