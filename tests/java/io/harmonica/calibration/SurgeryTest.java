package io.harmonica.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against least squares by Gauss's elimination over the tokens themselves. */
class SurgeryTest {
  private static final int OUT = 5;

  /** Weights reach 2; engines have them in fp32. */
  private static final double TOLERANCE = 2e-5;

  private final Random random = new Random(7);

  /** Of correlated channels that are not around zero, as behind a GELU. */
  private double[][] tokens(int count, int in) {
    double[][] mixes = new double[in][in];
    for (double[] mix : mixes) {
      for (int i = 0; i < in; i++) {
        mix[i] = random.nextGaussian() / Math.sqrt(in);
      }
    }
    double[][] tokens = new double[count][in];
    for (double[] token : tokens) {
      double[] drawn = random.doubles(in, -1, 1).toArray();
      for (int j = 0; j < in; j++) {
        for (int i = 0; i < in; i++) {
          token[j] += mixes[j][i] * drawn[i];
        }
        token[j] = Math.max(-0.1, token[j] + 0.2) * (1 + j % 4);
      }
    }
    return tokens;
  }

  private float[] weight(int in) {
    float[] weight = new float[OUT * in];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) random.nextGaussian();
    }
    return weight;
  }

  private static float[] moment(double[][] tokens) {
    int in = tokens[0].length;
    double[] sum = new double[in * in];
    for (double[] token : tokens) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += token[i / in] * token[i % in];
      }
    }
    float[] moment = new float[sum.length];
    for (int i = 0; i < moment.length; i++) {
      moment[i] = (float) sum[i];
    }
    return moment;
  }

  /** What is left of a map, and by how much it errs. */
  private record Fit(double[][] weights, double loss) {} // [out][kept]

  /**
   * The weights W' of the kept channels that minimise {@code sum |W x - W' x_S|^2 + ridge |W' -
   * W|^2}, from its normal equations.
   */
  private static Fit fit(float[] weight, float[] moment, int in, List<Integer> kept) {
    double ridge = 0;
    for (int j = 0; j < in; j++) {
      ridge += Surgery.RIDGE * moment[j * in + j] / in;
    }
    double[][] fitted = new double[OUT][];
    double loss = 0;
    for (int o = 0; o < OUT; o++) {
      double[][] equations = new double[kept.size()][kept.size() + 1];
      for (int r = 0; r < kept.size(); r++) {
        int row = kept.get(r);
        for (int c = 0; c < kept.size(); c++) {
          equations[r][c] = moment[row * in + kept.get(c)] + (r == c ? ridge : 0);
        }
        equations[r][kept.size()] = ridge * weight[o * in + row];
        for (int i = 0; i < in; i++) {
          equations[r][kept.size()] += (double) weight[o * in + i] * moment[i * in + row];
        }
      }
      fitted[o] = solved(equations);
      double[] change = new double[in];
      for (int i = 0; i < in; i++) {
        int at = kept.indexOf(i);
        change[i] = weight[o * in + i] - (at < 0 ? 0 : fitted[o][at]);
      }
      for (int i = 0; i < in; i++) {
        loss += ridge * change[i] * change[i];
        for (int k = 0; k < in; k++) {
          loss += change[i] * moment[i * in + k] * change[k];
        }
      }
    }
    return new Fit(fitted, loss);
  }

  private static double[] solved(double[][] equations) {
    int size = equations.length;
    for (int pivot = 0; pivot < size; pivot++) {
      for (int row = 0; row < size; row++) {
        double factor = row == pivot ? 0 : equations[row][pivot] / equations[pivot][pivot];
        for (int k = pivot; k <= size; k++) {
          equations[row][k] -= factor * equations[pivot][k];
        }
      }
    }
    return IntStream.range(0, size)
        .mapToDouble(row -> equations[row][size] / equations[row][row])
        .toArray();
  }

  private static void assertFitted(Surgery.Result result, float[] weight, float[] moment, int in) {
    List<Integer> kept = IntStream.of(result.kept()).boxed().toList();
    double[][] expected = fit(weight, moment, in, kept).weights();
    for (int i = 0; i < result.weight().length; i++) {
      assertThat((double) result.weight()[i])
          .as("weight %d of %d", i, result.weight().length)
          .isCloseTo(expected[i / kept.size()][i % kept.size()], within(TOLERANCE));
    }
  }

  /** More channels go than changes are made at once. */
  @Test
  void whatStays_isLeastSquares() {
    int in = 90;
    float[] weight = weight(in);
    float[] moment = moment(tokens(400, in));
    Surgery.Result result = Surgery.of(weight, moment, in, 17).orElseThrow();
    assertThat(result.kept()).hasSize(17).isSorted().doesNotHaveDuplicates();
    assertFitted(result, weight, moment, in);
  }

  /** Each time, of all that could go: by trying them. */
  @Test
  void whatGoes_costsLeast() {
    int in = 12;
    float[] weight = weight(in);
    float[] moment = moment(tokens(60, in));
    List<Integer> left = new ArrayList<>(IntStream.range(0, in).boxed().toList());
    for (int keep = in - 1; keep >= 4; keep--) {
      int least = -1;
      double smallest = Double.POSITIVE_INFINITY;
      for (int channel : left) {
        List<Integer> others = new ArrayList<>(left);
        others.remove(Integer.valueOf(channel));
        double loss = fit(weight, moment, in, others).loss();
        if (loss < smallest) {
          least = channel;
          smallest = loss;
        }
      }
      left.remove(Integer.valueOf(least));
      assertThat(Surgery.of(weight, moment, in, keep).orElseThrow().kept())
          .containsExactly(left.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  /** Two channels that are alike are one. */
  @Test
  void aChannelThatAnotherStandsInFor_goesForNothing() {
    int in = 16;
    double[][] tokens = tokens(100, in);
    for (double[] token : tokens) {
      token[11] = 2 * token[3];
    }
    float[] weight = weight(in);
    Surgery.Result result = Surgery.of(weight, moment(tokens), in, in - 1).orElseThrow();
    List<Integer> kept = IntStream.of(result.kept()).boxed().toList();
    assertThat(kept.contains(3) ^ kept.contains(11)).as("kept %s", kept).isTrue();
    for (double[] token : tokens) {
      for (int o = 0; o < OUT; o++) {
        double whole = 0;
        double left = 0;
        for (int i = 0; i < in; i++) {
          whole += weight[o * in + i] * token[i];
          left += kept.contains(i) ? result.weight()[o * (in - 1) + kept.indexOf(i)] * token[i] : 0;
        }
        assertThat(left).isCloseTo(whole, within(1e-2)); // of about 10: the ridge's part
      }
    }
  }

  @Test
  void allChannels_areTheSameWeights() {
    float[] weight = weight(16);
    Surgery.Result result = Surgery.of(weight, moment(tokens(50, 16)), 16, 16).orElseThrow();
    assertThat(result.weight()).containsExactly(weight);
  }

  @Test
  void whatIsNoMoment_isTold() {
    float[] moment = moment(tokens(50, 16));
    moment[5 * 16 + 5] *= -1;
    assertThat(Surgery.of(weight(16), moment, 16, 8)).isEmpty();
    moment[5 * 16 + 5] = Float.NaN;
    assertThat(Surgery.of(weight(16), moment, 16, 8)).isEmpty();
  }
}
