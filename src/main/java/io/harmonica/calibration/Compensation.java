package io.harmonica.calibration;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Int4Matrix;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Site;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.CholeskyDecomposition_F64;

/**
 * Rounds weights to 4 bits so that what maps make of their observed inputs changes least (GPTQ,
 * Frantar et al., arXiv 2210.17323): input by input, each weight moved by what the errors of those
 * before it leave to be made good. A block's scale is that of its weights so moved.
 *
 * <p>With {@code H = R R^T}, R upper triangular, the weight of input k moves by the sum of {@code
 * error_j R_jk / R_kk} over the inputs j before it (Chee et al., arXiv 2307.13304, show that this
 * is GPTQ's): so H needs no inverse. R is found in the reverse order of inputs, as a lower triangle
 * L.
 *
 * <p>It keeps what it has made, half a byte a weight, as several engines may hold one map; of
 * moments it holds one site's at a time. One thread at a time.
 */
public final class Compensation implements Int4Matrix.Rounding {
  /** What is added to the diagonal of H, as a part of its mean: the paper's. */
  private static final double DAMPING = 0.01;

  private static final int ROWS = 16; // of a weight, which read the factor together

  private final Map<String, Site> sites; // by weight
  private final Function<Site, float[]> moments;
  private final DoubleUnaryOperator held;
  private final Map<String, Int4Matrix> made = new HashMap<>();
  private Site last;
  private double[] lower; // the last site's L, [in, in]

  /**
   * For a model.
   *
   * @param moments H of a site, [in, in]
   * @param held what becomes of a scale in the precision that keeps it
   */
  public Compensation(List<Site> sites, Function<Site, float[]> moments, DoubleUnaryOperator held) {
    this.sites = Site.byWeight(sites);
    this.moments = moments;
    this.held = held;
  }

  @Override
  public Int4Matrix of(String name, float[] weight, int out, int in) {
    return made.computeIfAbsent(name, key -> round(factor(sites.get(key)), weight, out, in));
  }

  private double[] factor(Site site) {
    if (!site.equals(last)) {
      lower = null; // before the next is made
      lower = factor(moments.apply(site), site);
      last = site;
    }
    return lower;
  }

  private static double[] factor(float[] moment, Site site) {
    int in = site.in();
    double damping = 0;
    for (int i = 0; i < in; i++) {
      damping += DAMPING * moment[i * in + i] / in;
    }
    DMatrixRMaj reversed = new DMatrixRMaj(in, in);
    for (int i = 0; i < moment.length; i++) {
      reversed.data[moment.length - 1 - i] = moment[i];
    }
    for (int i = 0; i < in; i++) {
      reversed.data[i * in + i] += damping;
    }
    CholeskyDecomposition_F64<DMatrixRMaj> cholesky = DecompositionFactory_DDRM.chol(in, true);
    if (!(damping > 0 && cholesky.decompose(reversed))) {
      throw new HarmonicaException(
          "moments of %s are not those of numbers: calibrate anew".formatted(site.name()));
    }
    return cholesky.getT(null).data;
  }

  private Int4Matrix round(double[] factor, float[] weight, int out, int in) {
    int block = Int4Matrix.block(in);
    byte[] codes = new byte[weight.length];
    float[] scales = new float[in / block * out];
    for (int first = 0; first < out; first += ROWS) {
      int rows = Math.min(ROWS, out - first);
      double[][] moved = new double[rows][in]; // errors so far times R, inputs in reverse order
      for (int i = 0; i < in; i++) {
        int reverse = in - 1 - i;
        for (int r = 0; r < rows; r++) {
          int o = first + r;
          if (i % block == 0) {
            scales[i / block * out + o] = scale(factor, weight, o * in + i, moved[r], i, block);
          }
          double scale = scales[i / block * out + o];
          double exact = weight[o * in + i];
          int code =
              Int4Matrix.code(exact + moved[r][reverse] / factor[reverse * in + reverse], scale);
          codes[i * out + o] = (byte) code;
          add(exact - code * scale, factor, reverse * in, moved[r], reverse);
        }
      }
    }
    return Int4Matrix.packed(codes, scales, block);
  }

  /** Of a block as it is moved when it is reached: without errors of its own yet. */
  private float scale(
      double[] factor, float[] weight, int place, double[] moved, int from, int block) {
    int in = moved.length;
    int lowest = in - from - block;
    double[] own = new double[block];
    System.arraycopy(moved, lowest, own, 0, block);
    double largest = Int8Matrix.TINY;
    for (int i = 0; i < block; i++) {
      int reverse = in - 1 - from - i;
      double move = own[reverse - lowest] / factor[reverse * in + reverse];
      largest = Math.max(largest, Math.abs(weight[place + i] + move));
      add(-move, factor, reverse * in + lowest, own, reverse - lowest);
    }
    return (float) held.applyAsDouble(largest / Int4Matrix.MOST);
  }

  private static void add(double error, double[] factor, int place, double[] sums, int count) {
    for (int k = 0; k < count; k++) {
      sums[k] += error * factor[place + k];
    }
  }
}
