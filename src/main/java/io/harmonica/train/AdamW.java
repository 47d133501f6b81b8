package io.harmonica.train;

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101) without weight decay, in fp32 and in the order in
 * which PyTorch computes it, for the rows of a small table.
 *
 * <p>Each row counts its own steps: a row without a gradient is left alone.
 *
 * @param first running mean of the gradient, [rows][width]
 * @param second running mean of its square, [rows][width]
 * @param counts updates of each row so far
 */
record AdamW(float[][] first, float[][] second, int[] counts) {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPS = 1e-8;

  /** A fresh one. */
  static AdamW of(int rows, int width) {
    return new AdamW(new float[rows][width], new float[rows][width], new int[rows]);
  }

  /** One step of one row, in place. */
  void update(int row, float[] values, float[] gradient, double learningRate) {
    counts[row]++;
    double bias1 = 1 - Math.pow(BETA1, counts[row]);
    float bias2Root = (float) Math.sqrt(1 - Math.pow(BETA2, counts[row]));
    float stepSize = (float) (learningRate / bias1);
    float[] m = first[row];
    float[] v = second[row];
    for (int i = 0; i < values.length; i++) {
      m[i] += (gradient[i] - m[i]) * (float) (1 - BETA1);
      v[i] = v[i] * (float) BETA2 + (float) (1 - BETA2) * gradient[i] * gradient[i];
      float denominator = (float) Math.sqrt(v[i]) / bias2Root + (float) EPS;
      values[i] += -stepSize * m[i] / denominator;
    }
  }

  /** The step that the running means alone would take next, in learning rates: within about 1. */
  double direction(int row, int column) {
    if (counts[row] == 0) {
      return 0;
    }
    double mean = first[row][column] / (1 - Math.pow(BETA1, counts[row]));
    double square = second[row][column] / (1 - Math.pow(BETA2, counts[row]));
    return -mean / (Math.sqrt(square) + EPS);
  }
}
