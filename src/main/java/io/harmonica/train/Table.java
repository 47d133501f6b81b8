package io.harmonica.train;

import io.harmonica.router.Reuse;
import java.util.Arrays;
import java.util.List;

/**
 * The numbers that training changes: HarmoniCa's logits, whose sigmoids are the router's scores,
 * and where reuse is learned a correction to the weights of the forecast.
 *
 * @param logits [steps][columns] in [-5, 5]; row 0 is fixed, step 0 computes everything
 * @param corrections [steps][weights columns]: what a reused output adds to the forecast's weights
 *     of the column's last two or three stored outputs, column by column; no rows where reuse is
 *     not learned
 */
record Table(float[][] logits, AdamW logitsAdam, float[][] corrections, AdamW correctionsAdam) {
  static final float BOUND = 5;

  /**
   * Starts from given logits.
   *
   * @param weights of a reused output that are learned; 0 for none
   */
  static Table of(float[][] logits, int weights) {
    float[][] own = Arrays.stream(logits).map(float[]::clone).toArray(float[][]::new);
    int steps = own.length;
    int columns = own[0].length;
    Arrays.fill(own[0], BOUND);
    int rows = weights > 0 ? steps : 0;
    return new Table(
        own,
        AdamW.of(steps, columns),
        new float[rows][weights * columns],
        AdamW.of(rows, weights * columns));
  }

  int steps() {
    return logits.length;
  }

  int columns() {
    return logits[0].length;
  }

  boolean learned() {
    return corrections.length > 0;
  }

  /** How many weights of a reused output are learned. */
  int weights() {
    return learned() ? corrections[0].length / columns() : 0;
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

  double score(int step, int column) {
    return 1 / (1 + Math.exp(-logits[step][column]));
  }

  /** What inference would compute: [steps][columns]. */
  boolean[][] computes(double threshold) {
    var computes = new boolean[steps()][columns()];
    for (int s = 0; s < steps(); s++) {
      for (int b = 0; b < columns(); b++) {
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
    var computes = new boolean[steps()][columns()];
    for (int s = 0; s < steps(); s++) {
      for (int b = 0; b < columns(); b++) {
        double there = logits[s][b] + ahead * logitsAdam.direction(s, b);
        computes[s][b] = s == 0 || there > bound;
      }
    }
    return computes;
  }

  /** The weights of a reused output: the forecast's, with the learned corrections. */
  double[] weights(Reuse.Forecast forecast, int step, int column, List<Integer> stored) {
    double[] weights = forecast.weights(step, column, stored);
    for (int k = 0; learned() && weights.length > 1 && k < weights.length; k++) {
      weights[k] += corrections[step][weights() * column + k]; // one alone is reused as it is
    }
    return weights;
  }

  /** Whether every part has its size and its numbers. */
  boolean fits(int steps, int columns, int weights) {
    int rows = weights > 0 ? steps : 0;
    return fits(logits, steps, columns)
        && fits(logitsAdam, steps, columns)
        && fits(corrections, rows, weights * columns)
        && fits(correctionsAdam, rows, weights * columns);
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
