package io.harmonica.torch;

import io.harmonica.model.Gelu;
import io.harmonica.model.Ops;
import io.harmonica.model.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The interpreter that computes each operation at once with libtorch, recording what gradients
 * need. Every call needs an open {@link Scope}, which owns the result.
 *
 * <p>Parameters take no gradients; {@link #leaf} values do. Parameters and constants stay on the
 * device until {@link #close}. One thread at a time.
 */
public final class TorchOps implements Ops<Value>, AutoCloseable {
  private final Device device;
  private final ScalarType type;
  private final ScalarType single;
  private final Parameters parameters;
  private final TensorOptional absent;
  private final DoubleOptional usual; // scale of attention

  private TorchOps(Weights weights, Device device, ScalarType type, ScalarType single) {
    this.device = device;
    this.type = type;
    this.single = single;
    this.parameters = new Parameters(weights, device, type);
    try (Scope scope = Scope.open()) {
      absent = new TensorOptional();
      absent.retainReference();
      usual = new DoubleOptional();
      usual.retainReference();
    }
  }

  Device device() {
    return device;
  }

  /** Parameters are read from {@code weights} when first used, each once. */
  public static TorchOps open(Weights weights, Device device, Precision precision) {
    ScalarType type = precision == Precision.BF16 ? ScalarType.BFloat16 : ScalarType.Float;
    return new TorchOps(weights, device, type, ScalarType.Float);
  }

  /** Of parameters and activations. */
  public Precision precision() {
    return type == ScalarType.BFloat16 ? Precision.BF16 : Precision.FP32;
  }

  /** Everything in float64, for checking gradients. */
  static TorchOps inDouble(Weights weights) {
    return new TorchOps(weights, Device.of("cpu"), ScalarType.Double, ScalarType.Double);
  }

  /** Data, fp32: unlike a constant it is not kept beyond its scope. */
  public Value input(float[] values, long... shape) {
    Scope.requireOpen();
    return new Value(Parameters.send(values, single, device, shape));
  }

  /** Integers, int64: timesteps and labels. */
  public Value input(long[] values, long... shape) {
    Scope.requireOpen();
    Parameters.requireElements(values.length, shape);
    Tensor flat = torch.tensor(values);
    return new Value(flat.to(device.torch(), ScalarType.Long).reshape(shape));
  }

  /** Data, fp32, whose {@link Value#gradient} is wanted. */
  public Value leaf(float[] values, long... shape) {
    Value leaf = input(values, shape);
    leaf.tensor.set_requires_grad(true);
    return leaf;
  }

  @Override
  public Value constant(float[] values, long... shape) {
    return shared(parameters.constant(values, single, shape));
  }

  @Override
  public Value parameter(String name, long... shape) {
    return shared(parameters.tensor(name, shape));
  }

  /** Its own handle, so that a scope or {@link Value#close} does not free what is cached. */
  private static Value shared(Tensor cached) {
    return new Value(new Tensor(cached));
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    Tensor weight = parameters.tensor(name + ".weight", out, in);
    TensorOptional bias = parameters.optional(name + ".bias", out);
    return new Value(torch.linear(x.tensor, weight, bias));
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    return new Value(torch.linear(x.tensor, parameters.tensor(name, out, in), absent));
  }

  @Override
  public Value conv(Value x, String name, int in, int out, int kernel, int stride, int padding) {
    Tensor filter = parameters.tensor(name + ".weight", out, in, kernel, kernel);
    TensorOptional bias = parameters.optional(name + ".bias", out);
    long[] steps = {stride, stride};
    long[] zeros = {padding, padding};
    long[] ones = {1, 1};
    return new Value(torch.conv2d(x.tensor, filter, bias, steps, zeros, ones, /* groups= */ 1));
  }

  @Override
  public Value embedding(Value index, String name, int rows, int width) {
    Tensor table = parameters.tensor(name, rows, width);
    return new Value(torch.index_select(table, 0, index.tensor.reshape(-1)));
  }

  @Override
  public Value embedding(int[] index, String name, int rows, int width) {
    long[] known = Arrays.stream(index).asLongStream().toArray();
    return embedding(input(known, known.length), name, rows, width);
  }

  @Override
  public Value rowAt(Value x, Value ids, OptionalInt token) {
    Tensor scores =
        token.isPresent() ? ids.tensor.eq(new Scalar(token.getAsInt())).to(single) : ids.tensor;
    LongOptional last = new LongOptional(1);
    Tensor place = torch.argmax(scores, last, /* keepdim= */ true); // (B, 1)
    long[] size = {x.tensor.size(0), 1, x.tensor.size(2)};
    Tensor row = x.tensor.gather(1, place.unsqueeze(-1).expand(size));
    return new Value(row.reshape(size[0], size[2])); // (B, D)
  }

  @Override
  public Value add(Value a, Value b) {
    requireSameType("add", a, b);
    return new Value(a.tensor.add(b.tensor));
  }

  @Override
  public Value mul(Value a, Value b) {
    requireSameType("mul", a, b);
    return new Value(a.tensor.mul(b.tensor));
  }

  @Override
  public Value sub(Value a, Value b) {
    requireSameType("sub", a, b);
    return new Value(a.tensor.sub(b.tensor));
  }

  public Value square(Value x) {
    return new Value(x.tensor.square());
  }

  public Value sigmoid(Value x) {
    return new Value(x.tensor.sigmoid());
  }

  /** Of all elements: a scalar. */
  public Value sum(Value x) {
    return new Value(x.tensor.sum());
  }

  /** Of all elements: a scalar. */
  public Value mean(Value x) {
    return new Value(x.tensor.mean());
  }

  @Override
  public Value sin(Value x) {
    return new Value(x.tensor.sin());
  }

  @Override
  public Value cos(Value x) {
    return new Value(x.tensor.cos());
  }

  @Override
  public Value silu(Value x) {
    return new Value(torch.silu(x.tensor));
  }

  @Override
  public Value gelu(Value x, Gelu gelu) {
    return new Value(torch.gelu(x.tensor, gelu == Gelu.TANH ? "tanh" : "none"));
  }

  @Override
  public Value layerNorm(Value x, int width, double eps) {
    return layerNorm(x, absent, absent, width, eps);
  }

  @Override
  public Value layerNorm(Value x, String name, int width, double eps) {
    TensorOptional scale = parameters.optional(name + ".weight", width);
    return layerNorm(x, scale, parameters.optional(name + ".bias", width), width, eps);
  }

  private static Value layerNorm(
      Value x, TensorOptional scale, TensorOptional shift, int width, double eps) {
    long[] last = {width};
    return new Value(torch.layer_norm(x.tensor, last, scale, shift, eps, /* cudnn= */ true));
  }

  @Override
  public Value rmsNorm(Value x, String name, int width, double eps) {
    Tensor square = x.tensor.square();
    Tensor mean =
        torch.mean(square, new long[] {-1}, /* keepdim= */ true, new ScalarTypeOptional());
    Tensor normal = x.tensor.div(mean.add(new Scalar(eps)).sqrt());
    return mul(toPrecision(new Value(normal)), parameter(name, width));
  }

  @Override
  public Value groupNorm(Value x, String name, int groups, int channels, double eps) {
    TensorOptional scale = parameters.optional(name + ".weight", channels);
    TensorOptional shift = parameters.optional(name + ".bias", channels);
    return new Value(torch.group_norm(x.tensor, groups, scale, shift, eps, /* cudnn= */ true));
  }

  @Override
  public Value attention(Value q, Value k, Value v, int heads, int width) {
    return attention(q, k, v, absent, heads, width);
  }

  @Override
  public Value attention(Value q, Value k, Value v, Value bias, int heads, int width) {
    requireSameType("attention", q, bias);
    return attention(q, k, v, new TensorOptional(bias.tensor), heads, width);
  }

  private Value attention(Value q, Value k, Value v, TensorOptional bias, int heads, int width) {
    Tensor mixed =
        torch.scaled_dot_product_attention(
            split(q, heads, width), // (B, heads, N, head)
            split(k, heads, width), // (B, heads, M, head)
            split(v, heads, width),
            bias,
            /* dropout= */ 0,
            /* causal= */ false,
            usual,
            /* grouped= */ false);
    return new Value(mixed.transpose(1, 2).reshape(q.tensor.size(0), q.tensor.size(1), width));
  }

  private static Tensor split(Value x, int heads, int width) {
    return x.tensor
        .reshape(x.tensor.size(0), x.tensor.size(1), heads, width / heads)
        .transpose(1, 2);
  }

  @Override
  public Value upsample(Value x) {
    long[] s = x.shape(); // (B, C, H, W)
    Tensor twice =
        x.tensor.reshape(s[0], s[1], s[2], 1, s[3], 1).expand(s[0], s[1], s[2], 2, s[3], 2);
    return new Value(twice.reshape(s[0], s[1], 2 * s[2], 2 * s[3]));
  }

  @Override
  public Value reshapeLike(Value x, Value like) {
    return new Value(x.tensor.reshape(like.shape()));
  }

  @Override
  public Value reshape(Value x, long... shape) {
    long[] full = shape.clone();
    for (int i = 0; i < full.length; i++) {
      if (full[i] == 0) {
        full[i] = x.tensor.size(i);
      }
    }
    return new Value(x.tensor.reshape(full));
  }

  @Override
  public Value transpose(Value x, int... permutation) {
    return new Value(x.tensor.permute(Arrays.stream(permutation).asLongStream().toArray()));
  }

  @Override
  public Value slice(Value x, int axis, long from, long to) {
    return new Value(x.tensor.narrow(axis, from, to - from));
  }

  @Override
  public Value concat(int axis, List<Value> parts) {
    parts.forEach(part -> requireSameType("concat", parts.get(0), part));
    Tensor[] tensors = parts.stream().map(part -> part.tensor).toArray(Tensor[]::new);
    return new Value(torch.cat(new TensorVector(tensors), axis));
  }

  @Override
  public Value toFloat(Value x) {
    return cast(x, single);
  }

  @Override
  public Value toPrecision(Value x) {
    return cast(x, type);
  }

  private static Value cast(Value x, ScalarType to) {
    return x.type() == to ? x : new Value(x.tensor.to(to));
  }

  /** libtorch would convert silently, where an ONNX graph is refused. */
  private static void requireSameType(String operation, Value a, Value b) {
    if (a.type() != b.type()) {
      throw new IllegalArgumentException(
          "%s of %s and %s: convert with toFloat or toPrecision first"
              .formatted(operation, a.type(), b.type()));
    }
  }

  /** Whether a fault says that the memory of the device, or of the machine, did not suffice. */
  public static boolean isOutOfMemory(Throwable fault) {
    return Libtorch.isOutOfMemory(fault);
  }

  @Override
  public void close() {
    absent.releaseReference();
    usual.releaseReference();
    parameters.close();
  }
}
