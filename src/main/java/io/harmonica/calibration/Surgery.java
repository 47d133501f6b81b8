package io.harmonica.calibration;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.LinearSolverFactory_MT_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * Takes channels from what a linear map reads, one by one, each time that whose absence the others
 * make up for best (Optimal Brain Surgeon, Hassibi and Stork, NIPS 1992; by whole columns as in
 * ZipLM, arXiv 2302.04089).
 *
 * <p>With {@code A = sum x x^T + ridge}, the loss of leaving out channel j is {@code |w_j|^2 /
 * [A^-1]_jj}; then the weights change by {@code -w_j [A^-1]_j / [A^-1]_jj}, which in the end makes
 * them {@code W[:,S] + W[:,R] A[R,S] A[S,S]^-1} for kept channels S and removed ones R: those that
 * minimise {@code sum |W x - W' x_S|^2 + ridge |W' - W|^2}. What was not observed stays as it was.
 */
final class Surgery {
  /** In parts of the mean of {@code sum x_j^2}; it exceeds what fp32 rounds off these sums. */
  static final double RIDGE = 1e-4;

  private static final int DELAYED = 32; // changes of the inverse that are made together

  private final int in;
  private final double[] inverse; // [in, in], of A without the removed channels, less the delayed
  private final double[] diagonal; // of it, with them
  private final double[][] weights; // [in][out]: a column of W each
  private final double[] squares; // of their lengths
  private final boolean[] removed;
  private final double[][] delayed = new double[DELAYED][];
  private int waiting;

  /**
   * What is left.
   *
   * @param kept channels, ascending
   * @param weight of the map that reads them only, [out, kept]
   */
  record Result(int[] kept, float[] weight) {}

  private Surgery(float[] weight, int in, DMatrixRMaj inverse) {
    this.in = in;
    this.inverse = inverse.data;
    this.diagonal = IntStream.range(0, in).mapToDouble(j -> inverse.get(j, j)).toArray();
    this.weights = new double[in][weight.length / in];
    for (int i = 0; i < weight.length; i++) {
      weights[i % in][i / in] = weight[i];
    }
    this.squares = Arrays.stream(weights).mapToDouble(Surgery::square).toArray();
    this.removed = new boolean[in];
  }

  /**
   * Removes channels.
   *
   * @param weight of the map, [out, in]
   * @param moment {@code sum x x^T}, [in, in]
   * @param keep how many channels stay
   * @return empty if the moment is no such sum of numbers
   */
  static Optional<Result> of(float[] weight, float[] moment, int in, int keep) {
    DMatrixRMaj a = new DMatrixRMaj(in, in);
    double mean = 0;
    for (int i = 0; i < moment.length; i++) {
      a.data[i] = moment[i];
      mean += i % (in + 1) == 0 ? a.data[i] / in : 0;
    }
    for (int j = 0; j < in; j++) {
      a.add(j, j, RIDGE * mean);
    }
    LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_MT_DDRM.symmPosDef(in);
    if (!solver.setA(a)) {
      return Optional.empty();
    }
    DMatrixRMaj inverse = new DMatrixRMaj(in, in);
    solver.invert(inverse);
    Surgery surgery = new Surgery(weight, in, inverse);
    for (int left = in; left > keep; left--) {
      if (!surgery.removeLeast()) {
        return Optional.empty();
      }
    }
    return surgery.result();
  }

  private boolean removeLeast() {
    int least = -1;
    for (int j = 0; j < in; j++) {
      if (!removed[j] && (least < 0 || loss(j) < loss(least))) {
        least = j;
      }
    }
    double[] column = Arrays.copyOfRange(inverse, least * in, (least + 1) * in);
    for (int k = 0; k < waiting; k++) {
      subtract(column, delayed[k][least], delayed[k], 0);
    }
    double own = column[least];
    if (!(own > 0)) { // no number
      return false;
    }
    removed[least] = true;
    double[] weight = weights[least];
    double root = Math.sqrt(own);
    IntStream.range(0, in)
        .parallel()
        .filter(j -> !removed[j])
        .forEach(
            j -> {
              subtract(weights[j], column[j] / own, weight, 0);
              squares[j] = square(weights[j]);
              diagonal[j] -= column[j] * column[j] / own;
            });
    delayed[waiting++] = Arrays.stream(column).map(value -> value / root).toArray();
    if (waiting == DELAYED) {
      catchUp();
    }
    return true;
  }

  private double loss(int channel) {
    return squares[channel] / diagonal[channel];
  }

  private void catchUp() {
    IntStream.range(0, in)
        .parallel()
        .filter(j -> !removed[j])
        .forEach(
            j -> {
              for (double[] change : delayed) {
                subtract(inverse, change[j], change, j * in);
              }
            });
    waiting = 0;
  }

  /** Takes a multiple of a vector from what begins at an index. */
  private static void subtract(double[] from, double times, double[] vector, int at) {
    for (int i = 0; i < vector.length; i++) {
      from[at + i] -= times * vector[i];
    }
  }

  private static double square(double[] vector) {
    double square = 0;
    for (double value : vector) {
      square += value * value;
    }
    return square;
  }

  private Optional<Result> result() {
    int[] kept = IntStream.range(0, in).filter(j -> !removed[j]).toArray();
    float[] weight = new float[kept.length * weights[0].length];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) weights[kept[i % kept.length]][i / kept.length];
      if (!Float.isFinite(weight[i])) {
        return Optional.empty();
      }
    }
    return Optional.of(new Result(kept, weight));
  }
}
