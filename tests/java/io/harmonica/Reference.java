package io.harmonica;

import java.util.function.DoubleUnaryOperator;

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

  /** One picture [in, side, side], filters [out, in, kernel, kernel], stride = kernel. */
  public static float[] patches(float[] x, float[] w, float[] b, int in, int side, int kernel) {
    int across = side / kernel;
    float[] y = new float[b.length * across * across];
    for (int o = 0; o < b.length; o++) {
      for (int row = 0; row < across; row++) {
        for (int column = 0; column < across; column++) {
          double sum = b[o];
          for (int c = 0; c < in; c++) {
            for (int i = 0; i < kernel; i++) {
              for (int j = 0; j < kernel; j++) {
                sum +=
                    (double) x[(c * side + row * kernel + i) * side + column * kernel + j]
                        * w[((o * in + c) * kernel + i) * kernel + j];
              }
            }
          }
          y[(o * across + row) * across + column] = (float) sum;
        }
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
    int head = width / heads;
    float[] y = new float[q.length];
    for (int start = 0; start < q.length; start += tokens * width) {
      for (int h = 0; h < heads; h++) {
        for (int n = 0; n < tokens; n++) {
          double[] share = new double[tokens];
          double total = 0;
          for (int m = 0; m < tokens; m++) {
            double score = 0;
            for (int i = 0; i < head; i++) {
              score +=
                  (double) q[start + n * width + h * head + i]
                      * k[start + m * width + h * head + i];
            }
            share[m] = Math.exp(score / Math.sqrt(head));
            total += share[m];
          }
          for (int i = 0; i < head; i++) {
            double sum = 0;
            for (int m = 0; m < tokens; m++) {
              sum += share[m] / total * v[start + m * width + h * head + i];
            }
            y[start + n * width + h * head + i] = (float) sum;
          }
        }
      }
    }
    return y;
  }
}
