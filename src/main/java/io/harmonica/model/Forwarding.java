package io.harmonica.model;

import java.util.List;
import java.util.OptionalInt;

/**
 * An interpreter that has another do everything: the base of those that change one operation, as
 * for numbers of fewer bits.
 *
 * @param <T> what stands for a tensor
 */
public abstract class Forwarding<T> implements Ops<T> {
  private final Ops<T> ops;

  protected Forwarding(Ops<T> ops) {
    this.ops = ops;
  }

  @Override
  public T constant(float[] values, long... shape) {
    return ops.constant(values, shape);
  }

  @Override
  public T parameter(String name, long... shape) {
    return ops.parameter(name, shape);
  }

  @Override
  public T linear(T x, String name, int in, int out) {
    return ops.linear(x, name, in, out);
  }

  @Override
  public T conv(T x, String name, int in, int out, int kernel, int stride, int padding) {
    return ops.conv(x, name, in, out, kernel, stride, padding);
  }

  @Override
  public T project(T x, String name, int in, int out) {
    return ops.project(x, name, in, out);
  }

  @Override
  public T embedding(T index, String name, int rows, int width) {
    return ops.embedding(index, name, rows, width);
  }

  @Override
  public T embedding(int[] index, String name, int rows, int width) {
    return ops.embedding(index, name, rows, width);
  }

  @Override
  public T rowAt(T x, T ids, OptionalInt token) {
    return ops.rowAt(x, ids, token);
  }

  @Override
  public T add(T a, T b) {
    return ops.add(a, b);
  }

  @Override
  public T sub(T a, T b) {
    return ops.sub(a, b);
  }

  @Override
  public T mul(T a, T b) {
    return ops.mul(a, b);
  }

  @Override
  public T sin(T x) {
    return ops.sin(x);
  }

  @Override
  public T cos(T x) {
    return ops.cos(x);
  }

  @Override
  public T silu(T x) {
    return ops.silu(x);
  }

  @Override
  public T gelu(T x, Gelu gelu) {
    return ops.gelu(x, gelu);
  }

  @Override
  public T layerNorm(T x, int width, double eps) {
    return ops.layerNorm(x, width, eps);
  }

  @Override
  public T layerNorm(T x, String name, int width, double eps) {
    return ops.layerNorm(x, name, width, eps);
  }

  @Override
  public T rmsNorm(T x, String name, int width, double eps) {
    return ops.rmsNorm(x, name, width, eps);
  }

  @Override
  public T groupNorm(T x, String name, int groups, int channels, double eps) {
    return ops.groupNorm(x, name, groups, channels, eps);
  }

  @Override
  public T attention(T q, T k, T v, int heads, int width) {
    return ops.attention(q, k, v, heads, width);
  }

  @Override
  public T attention(T q, T k, T v, T bias, int heads, int width) {
    return ops.attention(q, k, v, bias, heads, width);
  }

  @Override
  public T upsample(T x) {
    return ops.upsample(x);
  }

  @Override
  public T reshape(T x, long... shape) {
    return ops.reshape(x, shape);
  }

  @Override
  public T reshapeLike(T x, T like) {
    return ops.reshapeLike(x, like);
  }

  @Override
  public T transpose(T x, int... permutation) {
    return ops.transpose(x, permutation);
  }

  @Override
  public T slice(T x, int axis, long from, long to) {
    return ops.slice(x, axis, from, to);
  }

  @Override
  public T concat(int axis, List<T> parts) {
    return ops.concat(axis, parts);
  }

  @Override
  public T toFloat(T x) {
    return ops.toFloat(x);
  }

  @Override
  public T toPrecision(T x) {
    return ops.toPrecision(x);
  }
}
