package io.harmonica.train.search;

/** Solves a few linear equations whose matrix is symmetric and positive. */
final class LinearEquations {
  private LinearEquations() {}

  /**
   * By Gauss's elimination, in place; not finite where there is no single solution.
   *
   * @param equations {@code [n][n + 1]}, the right side last
   */
  static double[] solve(double[][] equations) {
    int size = equations.length;
    for (int pivot = 0; pivot < size; pivot++) {
      for (int row = pivot + 1; row < size; row++) {
        double factor = equations[row][pivot] / equations[pivot][pivot];
        for (int k = pivot; k <= size; k++) {
          equations[row][k] -= factor * equations[pivot][k];
        }
      }
    }
    double[] solution = new double[size];
    for (int row = size - 1; row >= 0; row--) {
      double left = equations[row][size];
      for (int k = row + 1; k < size; k++) {
        left -= equations[row][k] * solution[k];
      }
      solution[row] = left / equations[row][row];
    }
    return solution;
  }
}
