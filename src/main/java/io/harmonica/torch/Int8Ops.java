package io.harmonica.torch;

import io.harmonica.model.Denoiser;
import io.harmonica.model.Forwarding;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Int8Weights;
import io.harmonica.model.Weights;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The libtorch interpreter with a model's linear maps as engines in int8 have them: weights and
 * tokens are rounded to 8 bits, and then multiplied as the floating-point numbers that they stand
 * for.
 *
 * <p>Gradients pass a rounding as if it were none (Bengio et al., arXiv 1308.3432).
 */
public final class Int8Ops extends Forwarding<Value> implements AutoCloseable {
  private static final float STEP = 1f / Int8Matrix.MOST;

  private final TorchOps ops;
  private final Int8Maps maps;

  private Int8Ops(TorchOps ops, Int8Maps maps) {
    super(ops);
    this.ops = ops;
    this.maps = maps;
  }

  /** For a model; parameters are read when first used, each once. */
  public static Int8Ops open(Denoiser model, Weights weights, Device device, Precision precision) {
    return open(Int8Maps.of(model), weights, device, precision);
  }

  static Int8Ops open(Int8Maps maps, Weights weights, Device device, Precision precision) {
    return new Int8Ops(TorchOps.open(new Int8Weights(weights, maps), device, precision), maps);
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    return super.linear(read(x, name + ".weight"), name, in, out);
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    return super.project(read(x, name), name, in, out);
  }

  /** Tokens as a linear map reads them. */
  private Value read(Value x, String weight) {
    return maps.tokens().contains(weight) ? new Value(rounded(x.tensor)) : x;
  }

  /** Each row as multiples of a 127th of its largest number: (..., in). */
  static Tensor rounded(Tensor x) {
    Tensor exact = x.to(ScalarType.Float); // bf16 does not hold the fractions
    long[] last = {-1};
    Tensor largest =
        exact.abs().amax(last, /* keepdim= */ true).clamp_min(new Scalar(Int8Matrix.TINY));
    Scalar step = new Scalar(STEP);
    Tensor rounded =
        exact.div(largest).div(step).round().mul(step).mul(largest).to(x.scalar_type());
    return x.requires_grad() ? x.add(rounded.sub(x).detach()) : rounded;
  }

  @Override
  public void close() {
    ops.close();
  }
}
