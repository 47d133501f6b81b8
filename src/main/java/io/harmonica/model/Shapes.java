package io.harmonica.model;

import io.harmonica.HarmonicaException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The interpreter that follows shapes for one sample: checks every parameter against the
 * checkpoint, and counts floating-point operations and elements.
 */
public final class Shapes implements Ops<long[]> {
  private final Weights weights;
  private long flops;
  private long elements; // of all results that take memory: views do not

  public Shapes(Weights weights) {
    this.weights = weights;
  }

  /**
   * Walks a whole pass.
   *
   * @throws HarmonicaException for a parameter that is missing or has another shape
   */
  public static Flops flops(Denoiser model, Weights weights) {
    return new Shapes(weights).walk(model).flops();
  }

  /**
   * Elements of all results of a pass for one sample: what stays in memory until a backward pass.
   */
  public static long elements(Denoiser model) {
    Shapes ops = new Shapes(Weights.NONE);
    ops.walk(model);
    return ops.elements;
  }

  /** Checks every parameter of a text encoder. */
  public static void require(TextEncoder encoder, Weights weights, TextUse use) {
    long[] one = {1, 1};
    encoder.encode(new Shapes(weights), one, Optional.of(one), 1, use);
  }

  /** Names of what {@link Denoiser#condition} computes, in order. */
  public static List<String> conditions(Denoiser model) {
    return List.copyOf(new Shapes(Weights.NONE).conditioning(model).keySet());
  }

  private Map<String, long[]> conditioning(Denoiser model) {
    Map<String, long[]> inputs = new HashMap<>();
    model.io().conditions().forEach(port -> inputs.put(port.name(), port.batched(1)));
    return model.condition(this, inputs::get);
  }

  private Traced walk(Denoiser model) {
    Map<String, long[]> conditioning = conditioning(model);
    Map<String, long[]> handedOn = new LinkedHashMap<>(conditioning);
    Streams<long[]> streams = model.begin(this, model.io().sample().batched(1), conditioning::get);
    handedOn.putAll(streams.made());
    List<Long> counts = new ArrayList<>();
    List<long[]> outputs = new ArrayList<>();
    for (int i = 0; i < model.branches().size(); i++) {
      streams =
          model.blocks(
              this,
              i,
              i + 1,
              streams,
              conditioning::get,
              (branch, computed) -> {
                long before = flops;
                outputs.add(computed.get());
                counts.add(flops - before);
                return Term.of(outputs.get(branch));
              });
      handedOn.putAll(streams.made());
    }
    model.head(this, streams, conditioning::get);
    long counted = counts.stream().mapToLong(Long::longValue).sum();
    return new Traced(new Flops(flops - counted, counts), handedOn, outputs);
  }

  /** The streams of a pass by name, in the order in which they are first made. */
  public static Map<String, StreamLives.Life> streams(Denoiser model) {
    Shapes ops = new Shapes(Weights.NONE);
    Map<String, long[]> conditioning = ops.conditioning(model);
    Map<String, List<Integer>> made = new LinkedHashMap<>();
    Map<String, Integer> lastRead = new HashMap<>();
    Map<String, long[]> now = new HashMap<>();
    Streams<long[]> begun = model.begin(ops, model.io().sample().batched(1), conditioning::get);
    int branches = model.branches().size();
    for (int i = -1; i < branches; i++) {
      int at = i;
      Streams<long[]> before = Streams.from(name -> read(name, at, lastRead, now));
      Streams<long[]> after =
          i < 0
              ? begun
              : model.blocks(
                  ops,
                  i,
                  i + 1,
                  before,
                  conditioning::get,
                  (branch, computed) -> Term.of(computed.get()));
      after
          .made()
          .forEach(
              (name, shape) -> {
                made.computeIfAbsent(name, n -> new ArrayList<>()).add(at);
                now.put(name, shape);
              });
    }
    model.head(ops, Streams.from(name -> read(name, branches, lastRead, now)), conditioning::get);
    Map<String, StreamLives.Life> lives = new LinkedHashMap<>();
    made.forEach(
        (name, own) -> lives.put(name, new StreamLives.Life(own, lastRead.getOrDefault(name, -1))));
    return lives;
  }

  private static long[] read(
      String name, int reader, Map<String, Integer> lastRead, Map<String, long[]> now) {
    lastRead.put(name, reader);
    return now.get(name);
  }

  /** What a walk found. */
  private record Traced(Flops flops, Map<String, long[]> handedOn, List<long[]> outputs) {}

  /**
   * Shapes, after the batch, of everything that engines hand on: what {@link Denoiser#condition}
   * computes, and the streams.
   */
  public static Map<String, long[]> handedOn(Denoiser model) {
    Map<String, long[]> shapes = new Shapes(Weights.NONE).walk(model).handedOn();
    shapes.replaceAll((name, shape) -> afterBatch(shape));
    return shapes;
  }

  /** Shapes of the branches' outputs, after the batch. */
  public static List<long[]> outputs(Denoiser model) {
    return new Shapes(Weights.NONE).walk(model).outputs().stream().map(Shapes::afterBatch).toList();
  }

  private static long[] afterBatch(long[] shape) {
    return Arrays.copyOfRange(shape, 1, shape.length);
  }

  @Override
  public long[] constant(float[] values, long... shape) {
    check(values.length == elements(shape), "constant", shape);
    return shape;
  }

  @Override
  public long[] parameter(String name, long... shape) {
    weights.require(name, shape);
    return shape;
  }

  @Override
  public long[] linear(long[] x, String name, int in, int out) {
    long[] y = project(x, name + ".weight", in, out);
    weights.require(name + ".bias", out);
    return y;
  }

  @Override
  public long[] project(long[] x, String name, int in, int out) {
    check(x[x.length - 1] == in, name, x);
    weights.require(name, out, in);
    long[] y = x.clone();
    y[y.length - 1] = out;
    flops += 2 * elements(x) * out;
    return made(y);
  }

  @Override
  public long[] conv(long[] x, String name, int in, int out, int kernel, int stride, int padding) {
    check(x.length == 4 && x[1] == in, name, x);
    weights.require(name + ".weight", out, in, kernel, kernel);
    weights.require(name + ".bias", out);
    long rows = (x[2] + 2L * padding - kernel) / stride + 1;
    long columns = (x[3] + 2L * padding - kernel) / stride + 1;
    long[] y = {x[0], out, rows, columns};
    flops += 2L * in * kernel * kernel * elements(y);
    return made(y);
  }

  @Override
  public long[] embedding(long[] index, String name, int rows, int width) {
    weights.require(name, rows, width);
    return new long[] {elements(index), width};
  }

  @Override
  public long[] embedding(int[] index, String name, int rows, int width) {
    weights.require(name, rows, width);
    return new long[] {index.length, width};
  }

  @Override
  public long[] rowAt(long[] x, long[] ids, OptionalInt token) {
    check(x.length == 3 && ids.length == 2 && x[1] == ids[1], "row of a text", x);
    return new long[] {x[0], x[2]};
  }

  @Override
  public long[] add(long[] a, long[] b) {
    long[] big = a.length >= b.length ? a : b;
    long[] small = big == a ? b : a;
    long[] result = big.clone();
    for (int i = 1; i <= small.length; i++) {
      long m = big[big.length - i];
      long n = small[small.length - i];
      check(m == n || m == 1 || n == 1, "broadcast with " + Arrays.toString(small), big);
      result[result.length - i] = Math.max(m, n);
    }
    return made(result);
  }

  @Override
  public long[] sub(long[] a, long[] b) {
    return add(a, b);
  }

  @Override
  public long[] mul(long[] a, long[] b) {
    return add(a, b);
  }

  @Override
  public long[] sin(long[] x) {
    return x;
  }

  @Override
  public long[] cos(long[] x) {
    return x;
  }

  @Override
  public long[] silu(long[] x) {
    return made(x);
  }

  @Override
  public long[] gelu(long[] x, Gelu gelu) {
    return made(x);
  }

  @Override
  public long[] layerNorm(long[] x, int width, double eps) {
    check(x[x.length - 1] == width, "layer norm", x);
    return made(x);
  }

  @Override
  public long[] layerNorm(long[] x, String name, int width, double eps) {
    weights.require(name + ".weight", width);
    weights.require(name + ".bias", width);
    return layerNorm(x, width, eps);
  }

  @Override
  public long[] rmsNorm(long[] x, String name, int width, double eps) {
    check(x[x.length - 1] == width, name, x);
    weights.require(name, width);
    return made(x);
  }

  @Override
  public long[] groupNorm(long[] x, String name, int groups, int channels, double eps) {
    check(x.length == 4 && x[1] == channels && channels % groups == 0, name, x);
    weights.require(name + ".weight", channels);
    weights.require(name + ".bias", channels);
    return x;
  }

  @Override
  public long[] attention(long[] q, long[] k, long[] v, int heads, int width) {
    check(q.length == 3 && q[2] == width && width % heads == 0, "attention", q);
    check(Arrays.equals(k, v) && k[2] == width, "attention keys", k);
    flops += 2 * 2 * elements(q) * k[1];
    elements += 2 * heads * q[1] * k[1] + 4 * elements(q); // scores, shares; q, k, v by heads
    return made(q);
  }

  @Override
  public long[] attention(long[] q, long[] k, long[] v, long[] bias, int heads, int width) {
    long[] scores = {q[0], heads, q[1], k[1]};
    check(Arrays.equals(add(scores, bias), scores), "attention bias", bias);
    return attention(q, k, v, heads, width);
  }

  @Override
  public long[] upsample(long[] x) {
    check(x.length == 4, "upsample", x);
    return new long[] {x[0], x[1], 2 * x[2], 2 * x[3]};
  }

  @Override
  public long[] reshape(long[] x, long... shape) {
    long[] y = shape.clone();
    int inferred = -1;
    for (int i = 0; i < y.length; i++) {
      if (y[i] == 0) {
        y[i] = x[i];
      } else if (y[i] == -1) {
        inferred = i;
        y[i] = 1;
      }
    }
    if (inferred >= 0) {
      y[inferred] = elements(x) / elements(y);
    }
    check(elements(x) == elements(y), "reshape to " + Arrays.toString(shape), x);
    return y;
  }

  @Override
  public long[] reshapeLike(long[] x, long[] like) {
    return reshape(x, like);
  }

  @Override
  public long[] transpose(long[] x, int... permutation) {
    check(permutation.length == x.length, "transpose", x);
    long[] y = new long[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = x[permutation[i]];
    }
    return y;
  }

  @Override
  public long[] slice(long[] x, int axis, long from, long to) {
    check(0 <= from && from < to && to <= x[axis], "slice", x);
    long[] y = x.clone();
    y[axis] = to - from;
    return y;
  }

  @Override
  public long[] concat(int axis, List<long[]> parts) {
    long[] y = parts.get(0).clone();
    y[axis] = parts.stream().mapToLong(part -> part[axis]).sum();
    return y;
  }

  @Override
  public long[] toFloat(long[] x) {
    return x;
  }

  @Override
  public long[] toPrecision(long[] x) {
    return x;
  }

  private long[] made(long[] shape) {
    elements += elements(shape);
    return shape;
  }

  private static long elements(long[] shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  private static void check(boolean fits, String what, long[] shape) {
    if (!fits) {
      throw new IllegalStateException(what + " does not take a tensor " + Arrays.toString(shape));
    }
  }
}
