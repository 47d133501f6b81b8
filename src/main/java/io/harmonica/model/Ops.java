package io.harmonica.model;

import java.util.List;

/**
 * The tensor operations that a model is written in, and the one place where an interpreter plugs
 * in: it builds an ONNX graph, runs libtorch, or follows shapes only.
 *
 * <p>Operands broadcast as in NumPy. A parameter is named as in the model definition; its
 * interpreter looks it up in {@link Weights} and checks the stated shape. In a {@code reshape}, 0
 * keeps the dimension of the input and -1 is inferred.
 *
 * @param <T> what stands for a tensor
 */
public interface Ops<T> {

  /** Values known beforehand, fp32. */
  T constant(float[] values, long... shape);

  /** A parameter of the model as it is. */
  T parameter(String name, long... shape);

  /** {@code x W^T + b} over the last dimension: (..., in) to (..., out). */
  T linear(T x, String name, int in, int out);

  /** 2-D convolution with bias, no padding: (B, in, H, W) to (B, out, H/stride, W/stride). */
  T conv(T x, String name, int in, int out, int kernel, int stride);

  /** Rows of a table: int64 (B, 1) to (B, width). */
  T embedding(T index, String name, int rows, int width);

  T add(T a, T b);

  T mul(T a, T b);

  T sin(T x);

  T cos(T x);

  T silu(T x);

  /** GELU in its tanh approximation. */
  T gelu(T x);

  /** Over the last dimension, biased variance, no affine part. */
  T layerNorm(T x, int width, double eps);

  /** {@code softmax(q k^T / sqrt(width / heads)) v} with heads contiguous in the last dimension. */
  T attention(T q, T k, T v, int heads, int width);

  T reshape(T x, long... shape);

  T transpose(T x, int... permutation);

  /** Elements {@code from} (inclusive) to {@code to} (exclusive) of one axis. */
  T slice(T x, int axis, long from, long to);

  T concat(int axis, List<T> parts);

  /** To fp32, from integers or from the precision of the parameters. */
  T toFloat(T x);

  /** From fp32 to the precision of the parameters. */
  T toPrecision(T x);
}
