package io.harmonica.train;

import io.harmonica.HarmonicaException;
import java.util.ArrayList;
import java.util.List;

/** Turns the MSE of a step into the loss, and its gradient into an update of the step's row. */
final class Updates {
  /** Weights near 1 move by a tenth of what logits in -5..5 move by. */
  private static final double CORRECTION_RATE = 0.1;

  private final Table table;
  private final float[] lambda;
  private final double beta;
  private final double learningRate;
  private final List<Loss> losses = new ArrayList<>();

  /**
   * What one step's pass gave.
   *
   * @param mse mean squared difference of student and teacher
   * @param logits its derivatives by the row's logits
   * @param corrections its derivatives by the row's corrections, null where there are none
   * @param prediction the student's
   */
  record Gradient(int step, double mse, float[] logits, float[] corrections, float[] prediction) {}

  /**
   * What became of it.
   *
   * @param regulariser sum of the row's scores, before the update
   * @param total {@code lambda * mse + beta * regulariser}
   * @param gradient of the total, and of later losses, by the row's logits
   * @param savings {@code -dMSE/dr} by column, with later steps' in units of this one
   */
  record Loss(
      int step, double mse, double regulariser, double total, float[] gradient, double[] savings) {}

  Updates(Table table, float[] lambda, double beta, double learningRate) {
    this.table = table;
    this.lambda = lambda;
    this.beta = beta;
    this.learningRate = learningRate;
  }

  /** The losses so far. */
  List<Loss> losses() {
    return losses;
  }

  double weight(int step) {
    return lambda[step];
  }

  /** Updates a row by its own step's loss. */
  void step(Gradient found) {
    step(found, new double[table.columns()]);
  }

  /**
   * Updates a row by all losses that it has a part in.
   *
   * @param later derivatives of later steps' weighted losses by the row's scores
   */
  void step(Gradient found, double[] later) {
    int step = found.step();
    double weight = lambda[step];
    int columns = table.columns();
    double regulariser = 0;
    float[] gradient = new float[columns];
    double[] savings = new double[columns];
    for (int b = 0; b < columns; b++) {
      double r = table.score(step, b);
      double slope = r * (1 - r);
      regulariser += r;
      gradient[b] = (float) (weight * found.logits()[b] + (beta + later[b]) * slope);
      savings[b] = -found.logits()[b] / slope - (weight > 0 ? later[b] / weight : 0);
    }
    double total = weight * found.mse() + beta * regulariser;
    if (!Double.isFinite(total) || !finite(gradient)) {
      throw new HarmonicaException(
          "the loss is %s at step %d (MSE %s, lambda %s, beta %s), its gradient %s: resume from the last good state, if there is one, with a lower `learningRate`; else the checkpoint holds NaN or numbers too large for `precision`"
              .formatted(
                  total,
                  step,
                  found.mse(),
                  weight,
                  beta,
                  finite(gradient) ? "finite" : "not finite"));
    }
    losses.add(new Loss(step, found.mse(), regulariser, total, gradient, savings));
    table.updateLogits(step, gradient, learningRate);
    if (found.corrections() != null) {
      float[] scaled = found.corrections().clone();
      for (int i = 0; i < scaled.length; i++) {
        scaled[i] *= (float) weight;
      }
      table.updateCorrections(step, scaled, CORRECTION_RATE * learningRate);
    }
  }

  private static boolean finite(float[] values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }
}
