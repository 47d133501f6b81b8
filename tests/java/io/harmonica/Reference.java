package io.harmonica;

import java.util.function.DoubleUnaryOperator;
import org.apache.commons.numbers.gamma.Erf;

/** The operations computed plainly in double, one loop each: what engines are held to. */
public final class Reference {
  private Reference() {}

  public static float[] map(float[] x, DoubleUnaryOperator operation) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) operation.applyAsDouble(x[i]);
    }
    return y;
  }

  public static double silu(double x) {
    return x / (1 + Math.exp(-x));
  }

  public static double geluTanh(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  public static double geluExact(double x) {
    return 0.5 * x * (1 + Erf.value(x / Math.sqrt(2)));
  }

  /** Rows of {@code x} times {@code w} [out, in], plus {@code b}. */
  public static float[] linear(float[] x, float[] w, float[] b) {
    int out = b.length;
    int in = w.length / out;
    float[] y = new float[x.length / in * out];
    for (int row = 0; row < x.length / in; row++) {
      for (int o = 0; o < out; o++) {
        double sum = b[o];
        for (int i = 0; i < in; i++) {
          sum += (double) x[row * in + i] * w[o * in + i];
        }
        y[row * out + o] = (float) sum;
      }
    }
    return y;
  }

  /** One picture [in, side, side], filters [out, in, kernel, kernel], zeros around it. */
  public static float[] conv(
      float[] x, float[] w, float[] b, int in, int side, int kernel, int stride, int padding) {
    int across = (side + 2 * padding - kernel) / stride + 1;
    float[] y = new float[b.length * across * across];
    for (int o = 0; o < b.length; o++) {
      for (int row = 0; row < across; row++) {
        for (int column = 0; column < across; column++) {
          double sum = b[o];
          for (int c = 0; c < in; c++) {
            for (int i = 0; i < kernel; i++) {
              for (int j = 0; j < kernel; j++) {
                int above = row * stride + i - padding;
                int left = column * stride + j - padding;
                if (above >= 0 && above < side && left >= 0 && left < side) {
                  sum +=
                      (double) x[(c * side + above) * side + left]
                          * w[((o * in + c) * kernel + i) * kernel + j];
                }
              }
            }
          }
          y[(o * across + row) * across + column] = (float) sum;
        }
      }
    }
    return y;
  }

  /** One picture [channels, plane]: normal within groups, then scaled and shifted a channel. */
  public static float[] groupNorm(float[] x, float[] scale, float[] shift, int groups, double eps) {
    float[] y = layerNorm(x, x.length / groups, eps);
    int plane = x.length / scale.length;
    for (int i = 0; i < y.length; i++) {
      y[i] = y[i] * scale[i / plane] + shift[i / plane];
    }
    return y;
  }

  public static float[] rmsNorm(float[] x, float[] weight, double eps) {
    float[] y = new float[x.length];
    for (int start = 0; start < x.length; start += weight.length) {
      double mean = 0;
      for (int i = 0; i < weight.length; i++) {
        mean += (double) x[start + i] * x[start + i] / weight.length;
      }
      for (int i = 0; i < weight.length; i++) {
        y[start + i] = (float) (weight[i] * x[start + i] / Math.sqrt(mean + eps));
      }
    }
    return y;
  }

  public static float[] layerNorm(float[] x, int width, double eps) {
    float[] y = new float[x.length];
    for (int start = 0; start < x.length; start += width) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < width; i++) {
        mean += x[start + i] / (double) width;
      }
      for (int i = 0; i < width; i++) {
        variance += (x[start + i] - mean) * (x[start + i] - mean) / width;
      }
      for (int i = 0; i < width; i++) {
        y[start + i] = (float) ((x[start + i] - mean) / Math.sqrt(variance + eps));
      }
    }
    return y;
  }

  /** Over {@code [batch, tokens, width]}; heads lie side by side in the width. */
  public static float[] attention(
      float[] q, float[] k, float[] v, int tokens, int heads, int width) {
    float[] none = new float[q.length / (tokens * width) * tokens];
    return attention(q, k, v, none, tokens, tokens, heads, width);
  }

  /** The same with other keys than queries, and a bias for each key, [batch, keys]. */
  public static float[] attention(
      float[] q, float[] k, float[] v, float[] bias, int queries, int keys, int heads, int width) {
    int head = width / heads;
    float[] y = new float[q.length];
    for (int row = 0; row < q.length / width; row++) {
      int batch = row / queries;
      for (int h = 0; h < heads; h++) {
        double[] share = new double[keys];
        double total = 0;
        for (int m = 0; m < keys; m++) {
          double score = 0;
          for (int i = h * head; i < (h + 1) * head; i++) {
            score += (double) q[row * width + i] * k[(batch * keys + m) * width + i];
          }
          share[m] = Math.exp(score / Math.sqrt(head) + bias[batch * keys + m]);
          total += share[m];
        }
        for (int i = h * head; i < (h + 1) * head; i++) {
          double sum = 0;
          for (int m = 0; m < keys; m++) {
            sum += share[m] / total * v[(batch * keys + m) * width + i];
          }
          y[row * width + i] = (float) sum;
        }
      }
    }
    return y;
  }
}
