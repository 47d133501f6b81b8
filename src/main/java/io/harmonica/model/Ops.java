package io.harmonica.model;

import java.util.List;
import java.util.OptionalInt;

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

  /**
   * 2-D convolution with bias, zeros around the picture: (B, in, H, W) to (B, out, (H + 2 padding -
   * kernel) / stride + 1, W alike).
   */
  T conv(T x, String name, int in, int out, int kernel, int stride, int padding);

  /** The same without bias, the matrix being {@code name} itself. */
  T project(T x, String name, int in, int out);

  /** Rows of a table, one for each of any number of int64 indices: to (indices, width). */
  T embedding(T index, String name, int rows, int width);

  /** The same for indices known beforehand. */
  T embedding(int[] index, String name, int rows, int width);

  /**
   * A row of each text, (B, N, D) to (B, D), at the first place of a token.
   *
   * @param ids int64 (B, N)
   * @param token whose place it is; empty: the largest that the text has
   */
  T rowAt(T x, T ids, OptionalInt token);

  T add(T a, T b);

  T sub(T a, T b);

  T mul(T a, T b);

  T sin(T x);

  T cos(T x);

  T silu(T x);

  T gelu(T x, Gelu gelu);

  /** Over the last dimension, biased variance, no affine part. */
  T layerNorm(T x, int width, double eps);

  /** The same, scaled and shifted by {@code name.weight} and {@code name.bias}, (width) each. */
  T layerNorm(T x, String name, int width, double eps);

  /**
   * {@code weight * x / sqrt(mean(x^2) + eps)} over the last dimension (Zhang and Sennrich, arXiv
   * 1910.07467); x is fp32, the result in the precision of the parameters.
   *
   * @param name of the weight, (width)
   */
  T rmsNorm(T x, String name, int width, double eps);

  /** Over groups of channels of (B, C, H, W), biased variance; scale and shift a channel. */
  T groupNorm(T x, String name, int groups, int channels, double eps);

  /**
   * {@code softmax(q k^T / sqrt(width / heads)) v} with heads contiguous in the last dimension: q
   * (B, N, width), k and v (B, M, width).
   */
  T attention(T q, T k, T v, int heads, int width);

  /**
   * The same with {@code bias} added to the scores, of a shape that broadcasts to (B, heads, N, M).
   */
  T attention(T q, T k, T v, T bias, int heads, int width);

  /** Each element twice in both directions: (B, C, H, W) to (B, C, 2 H, 2 W). */
  T upsample(T x);

  T reshape(T x, long... shape);

  /** To the shape that {@code like} has when it runs. */
  T reshapeLike(T x, T like);

  T transpose(T x, int... permutation);

  /** Elements {@code from} (inclusive) to {@code to} (exclusive) of one axis. */
  T slice(T x, int axis, long from, long to);

  T concat(int axis, List<T> parts);

  /** To fp32, from integers or from the precision of the parameters. */
  T toFloat(T x);

  /** From fp32 to the precision of the parameters. */
  T toPrecision(T x);
}
