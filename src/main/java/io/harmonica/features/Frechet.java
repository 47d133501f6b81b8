package io.harmonica.features;

import io.harmonica.HarmonicaException;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The Fréchet distance between two sets of pictures, as the FID takes it (Heusel et al., arXiv
 * 1706.08500, equation 6; squared, as usual): {@code |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))}.
 *
 * <p>It falls with the number of pictures even where the pictures are alike: compare sets of one
 * size only.
 */
public final class Frechet {
  /** How many parts the interval leaves out in turn. */
  public static final int PARTS = 20;

  private static final double T = 2.093024; // 97.5 % point of Student's t with PARTS - 1 = 19

  private Frechet() {}

  /** The distance of two sets. */
  public static double distance(FeatureStatistics a, FeatureStatistics b) {
    a.requireComparable(b);
    double[] difference = new double[a.width()];
    double squares = 0;
    for (int i = 0; i < difference.length; i++) {
      difference[i] = a.mean()[i] - b.mean()[i];
      squares += difference[i] * difference[i];
    }
    // tr (C1 C2)^(1/2) = tr (R C2 R)^(1/2) with R = C1^(1/2): symmetric, so its roots are real
    DMatrixRMaj root = root(symmetric(a));
    DMatrixRMaj inner = new DMatrixRMaj(a.width(), a.width());
    DMatrixRMaj product = new DMatrixRMaj(a.width(), a.width());
    CommonOps_DDRM.mult(root, symmetric(b), product);
    CommonOps_DDRM.mult(product, root, inner);
    double shared = 0;
    EigenDecomposition_F64<DMatrixRMaj> eigen = eigen(inner, false);
    for (int i = 0; i < a.width(); i++) {
      shared += Math.sqrt(Math.max(0, eigen.getEigenvalue(i).getReal()));
    }
    // Rounding may leave a little less than nothing
    return Math.max(0, squares + trace(a) + trace(b) - 2 * shared);
  }

  /**
   * The distance of pictures to a fixed set, with a 95 % interval by the delete-a-group jackknife
   * (Kott 2001): the pictures in {@value #PARTS} stretches, each left out in turn. A bootstrap
   * would draw pictures twice, and so shift the distance up.
   */
  public static Estimate to(FeatureStatistics reference, Features pictures) {
    return jackknife(distance(pictures.statistics(), reference), List.of(pictures), reference);
  }

  /**
   * The distance of two sets of which picture i of one belongs to picture i of the other (the same
   * noise and class), with an interval as {@link #to}; stretches are left out of both.
   */
  public static Estimate between(Features a, Features b) {
    if (a.count() != b.count()) {
      throw new IllegalArgumentException(
          "pictures pair: %d of one set, %d of the other".formatted(a.count(), b.count()));
    }
    return jackknife(distance(a.statistics(), b.statistics()), List.of(a, b), null);
  }

  private static Estimate jackknife(
      double whole, List<Features> sets, FeatureStatistics reference) {
    int count = sets.get(0).count();
    if (count < 2 * PARTS) {
      throw new HarmonicaException(
          "too few pictures for the interval of a Frechet distance: %d, expected at least %d"
              .formatted(count, 2 * PARTS));
    }
    List<Moments> moments = sets.stream().map(Frechet::moments).toList();
    double[] without = new double[PARTS];
    double mean = 0;
    for (int part = 0; part < PARTS; part++) {
      int from = count * part / PARTS;
      int to = count * (part + 1) / PARTS;
      FeatureStatistics first = without(moments.get(0), sets.get(0), from, to);
      FeatureStatistics second =
          reference == null ? without(moments.get(1), sets.get(1), from, to) : reference;
      without[part] = distance(first, second);
      mean += without[part] / PARTS;
    }
    double squares = 0;
    for (double distance : without) {
      squares += (distance - mean) * (distance - mean);
    }
    double half = T * Math.sqrt(squares * (PARTS - 1) / PARTS);
    return new Estimate(whole, Math.max(0, whole - half), whole + half);
  }

  private static Moments moments(Features features) {
    Moments moments = new Moments(features.width());
    for (double[] row : features.values()) {
      moments.add(row, 1);
    }
    return moments;
  }

  private static FeatureStatistics without(Moments all, Features features, int from, int to) {
    for (int i = from; i < to; i++) {
      all.add(features.values()[i], -1);
    }
    FeatureStatistics statistics = all.statistics(features.network());
    for (int i = from; i < to; i++) {
      all.add(features.values()[i], 1);
    }
    return statistics;
  }

  private static double trace(FeatureStatistics statistics) {
    double trace = 0;
    for (int i = 0; i < statistics.width(); i++) {
      trace += statistics.covariance()[i][i];
    }
    return trace;
  }

  private static DMatrixRMaj symmetric(FeatureStatistics statistics) {
    DMatrixRMaj matrix = new DMatrixRMaj(statistics.width(), statistics.width());
    for (int i = 0; i < statistics.width(); i++) {
      for (int j = 0; j <= i; j++) {
        matrix.set(i, j, statistics.covariance()[i][j]);
        matrix.set(j, i, statistics.covariance()[i][j]);
      }
    }
    return matrix;
  }

  /** The symmetric root of a covariance: V D^(1/2) V'. */
  private static DMatrixRMaj root(DMatrixRMaj matrix) {
    int width = matrix.getNumRows();
    EigenDecomposition_F64<DMatrixRMaj> eigen = eigen(matrix, true);
    DMatrixRMaj vectors = new DMatrixRMaj(width, width); // V, a column each
    DMatrixRMaj scaled = new DMatrixRMaj(width, width); // V D^(1/2)
    for (int k = 0; k < width; k++) {
      double value = Math.sqrt(Math.max(0, eigen.getEigenvalue(k).getReal()));
      for (int i = 0; i < width; i++) {
        double component = eigen.getEigenVector(k).get(i, 0);
        vectors.set(i, k, component);
        scaled.set(i, k, component * value);
      }
    }
    DMatrixRMaj root = new DMatrixRMaj(width, width);
    CommonOps_DDRM.multTransB(scaled, vectors, root);
    return root;
  }

  private static EigenDecomposition_F64<DMatrixRMaj> eigen(DMatrixRMaj matrix, boolean vectors) {
    DMatrixRMaj even = new DMatrixRMaj(matrix.getNumRows(), matrix.getNumCols());
    for (int i = 0; i < matrix.getNumRows(); i++) { // rounding makes products a little lopsided
      for (int j = 0; j < matrix.getNumCols(); j++) {
        even.set(i, j, (matrix.get(i, j) + matrix.get(j, i)) / 2);
      }
    }
    EigenDecomposition_F64<DMatrixRMaj> eigen =
        DecompositionFactory_DDRM.eig(even.getNumRows(), vectors, true);
    if (!eigen.decompose(even)) {
      throw new HarmonicaException(
          "the eigenvalues of a covariance of %d features do not converge: check the features"
              .formatted(even.getNumRows()));
    }
    return eigen;
  }
}
