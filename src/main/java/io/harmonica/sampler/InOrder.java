package io.harmonica.sampler;

/** Holds a sampler that remembers to its order: what it remembers belongs to the step before. */
final class InOrder {
  private int last = -1;

  /** Refuses any but the step after the last one; the first may be any. */
  void require(int step) {
    if (last >= 0 && step != last + 1) {
      throw new IllegalArgumentException(
          "step %d came after step %d: a trajectory has a stepper of its own"
              .formatted(step, last));
    }
    last = step;
  }

  /** Goes on after a step that another made. */
  void resume(int step) {
    last = step;
  }

  InOrder fork() {
    InOrder fork = new InOrder();
    fork.last = last;
    return fork;
  }
}
