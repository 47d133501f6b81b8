package io.harmonica.train;

import io.harmonica.router.Reuse;
import java.util.Arrays;
import java.util.List;

/**
 * The numbers that training changes: HarmoniCa's logits, whose sigmoids are the router's scores,
 * and where reuse is learned a correction to the weights of the forecast.
 *
 * @param logits [steps][branches] in [-5, 5]; row 0 is fixed, step 0 computes everything
 * @param corrections [steps][2 branches]: what a reused output adds to the forecast's weights of
 *     the branch's last two stored outputs; no rows where reuse is not learned
 */
record Table(float[][] logits, AdamW logitsAdam, float[][] corrections, AdamW correctionsAdam) {
  static final float BOUND = 5;

  /** Starts from given logits. */
  static Table of(float[][] logits, boolean learned) {
    float[][] own = Arrays.stream(logits).map(float[]::clone).toArray(float[][]::new);
    int steps = own.length;
    int branches = own[0].length;
    Arrays.fill(own[0], BOUND);
    int rows = learned ? steps : 0;
    return new Table(
        own,
        AdamW.of(steps, branches),
        new float[rows][2 * branches],
        AdamW.of(rows, 2 * branches));
  }

  int steps() {
    return logits.length;
  }

  int branches() {
    return logits[0].length;
  }

  boolean learned() {
    return corrections.length > 0;
  }

  /** One optimiser step of a row's logits, clamped as the reference clamps them. */
  void updateLogits(int step, float[] gradient, double learningRate) {
    logitsAdam.update(step, logits[step], gradient, learningRate);
    for (int b = 0; b < logits[step].length; b++) {
      logits[step][b] = Math.max(-BOUND, Math.min(BOUND, logits[step][b]));
    }
  }

  /** One optimiser step of a row's corrections. */
  void updateCorrections(int step, float[] gradient, double learningRate) {
    correctionsAdam.update(step, corrections[step], gradient, learningRate);
  }

  double score(int step, int branch) {
    return 1 / (1 + Math.exp(-logits[step][branch]));
  }

  /** What inference would compute: [steps][branches]. */
  boolean[][] computes(double threshold) {
    var computes = new boolean[steps()][branches()];
    for (int s = 0; s < steps(); s++) {
      for (int b = 0; b < branches(); b++) {
        computes[s][b] = s == 0 || score(s, b) > threshold;
      }
    }
    return computes;
  }

  /**
   * Where the table is heading: what inference would compute if the logits went on as they do for
   * so many times the inverse of the learning rate.
   */
  boolean[][] heading(double threshold, double ahead) {
    double bound = Math.log(threshold / (1 - threshold));
    var computes = new boolean[steps()][branches()];
    for (int s = 0; s < steps(); s++) {
      for (int b = 0; b < branches(); b++) {
        double there = logits[s][b] + ahead * logitsAdam.direction(s, b);
        computes[s][b] = s == 0 || there > bound;
      }
    }
    return computes;
  }

  /** The weights of a reused output: the forecast's, with the learned corrections. */
  double[] weights(Reuse.Forecast forecast, int step, int branch, List<Integer> stored) {
    double[] weights = forecast.weights(step, branch, stored);
    for (int k = 0; learned() && weights.length == 2 && k < 2; k++) {
      weights[k] += corrections[step][2 * branch + k];
    }
    return weights;
  }

  /** Whether every part has its size and its numbers. */
  boolean fits(int steps, int branches) {
    int rows = corrections == null ? -1 : corrections.length;
    return fits(logits, steps, branches)
        && fits(logitsAdam, steps, branches)
        && (rows == 0 || rows == steps)
        && fits(corrections, rows, 2 * branches)
        && fits(correctionsAdam, rows, 2 * branches);
  }

  private static boolean fits(AdamW adam, int rows, int width) {
    return adam != null
        && fits(adam.first(), rows, width)
        && fits(adam.second(), rows, width)
        && adam.counts() != null
        && adam.counts().length == rows;
  }

  private static boolean fits(float[][] values, int rows, int width) {
    return values != null
        && values.length == rows
        && Arrays.stream(values).allMatch(row -> row != null && row.length == width);
  }

  /** A copy that nothing changes any more. */
  Table copy() {
    return new Table(copy(logits), copy(logitsAdam), copy(corrections), copy(correctionsAdam));
  }

  private static AdamW copy(AdamW adam) {
    return new AdamW(copy(adam.first()), copy(adam.second()), adam.counts().clone());
  }

  private static float[][] copy(float[][] rows) {
    return Arrays.stream(rows).map(float[]::clone).toArray(float[][]::new);
  }
}
