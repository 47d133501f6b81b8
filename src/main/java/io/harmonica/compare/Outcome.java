package io.harmonica.compare;

import java.util.List;

/**
 * What rounds gave.
 *
 * @param measurements in the order of the variants; the first is A, which speedups are to
 * @param warmUps rounds that did not count
 * @param stable whether the last of them was stable
 * @param interrupted whether it was stopped before its last round
 * @param overhead time between the turns / time in them: what measuring itself cost
 */
public record Outcome(
    List<Measurement> measurements,
    int warmUps,
    boolean stable,
    boolean interrupted,
    double overhead) {
  public Outcome {
    measurements = List.copyOf(measurements);
  }

  Outcome withMeasurements(List<Measurement> others) {
    return new Outcome(others, warmUps, stable, interrupted, overhead);
  }
}
