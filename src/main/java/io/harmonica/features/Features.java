package io.harmonica.features;

import io.harmonica.HarmonicaException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What a network sees in a set of pictures.
 *
 * @param network digest of the network's file: only features of one network compare
 * @param values {@code [pictures][width]}
 * @param logits {@code [pictures][classes]}, of a network that has them
 */
public record Features(String network, double[][] values, Optional<double[][]> logits) {
  public Features {
    if (values.length == 0) {
      throw new IllegalArgumentException("features of no pictures");
    }
  }

  public int count() {
    return values.length;
  }

  public int width() {
    return values[0].length;
  }

  /** Mean and covariance; needs at least two pictures. */
  public FeatureStatistics statistics() {
    return FeatureStatistics.of(network, List.of(values));
  }

  /** Pictures {@code from} (inclusive) to {@code to} (exclusive). */
  public Features rows(int from, int to) {
    return new Features(
        network,
        Arrays.copyOfRange(values, from, to),
        logits.map(all -> Arrays.copyOfRange(all, from, to)));
  }

  /** Both sets, these pictures first. */
  public Features and(Features others) {
    return new Features(
        network,
        joined(values, others.values),
        logits.flatMap(own -> others.logits.map(their -> joined(own, their))));
  }

  /**
   * The share of pictures whose greatest logit is that of the class they were made for.
   *
   * @param classes a label for each picture
   */
  public Estimate accuracy(List<Integer> classes) {
    double[][] scores =
        logits.orElseThrow(
            () ->
                new HarmonicaException(
                    "the network has no output 'logits', so there is no class accuracy: use a network with it"));
    if (classes.size() != scores.length) {
      throw new IllegalArgumentException(
          "%d classes for %d pictures".formatted(classes.size(), scores.length));
    }
    int right = 0;
    for (int i = 0; i < scores.length; i++) {
      if (classes.get(i) < 0 || classes.get(i) >= scores[i].length) {
        throw new HarmonicaException(
            "the network knows classes 0..%d, picture %d is of class %d: use a network for this model's classes"
                .formatted(scores[i].length - 1, i, classes.get(i)));
      }
      right += greatest(scores[i]) == classes.get(i) ? 1 : 0;
    }
    return Estimate.share(right, scores.length);
  }

  private static int greatest(double[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      best = scores[i] > scores[best] ? i : best;
    }
    return best;
  }

  private static double[][] joined(double[][] a, double[][] b) {
    double[][] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
