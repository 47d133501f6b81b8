package io.harmonica.model;

import java.util.List;

/**
 * Floating-point operations of one forward pass for one sample: a multiply-add counts two, matrix
 * products and convolutions count, element-wise work does not.
 *
 * @param fixed what every step pays: embedding, modulation, head
 * @param branches per branch, in execution order
 */
public record Flops(long fixed, List<Long> branches) {
  public Flops {
    branches = List.copyOf(branches);
  }

  /** FLOPs of one full pass. */
  public long full() {
    return fixed + branches.stream().mapToLong(Long::longValue).sum();
  }
}
