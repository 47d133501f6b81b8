package io.harmonica.torch;

import io.harmonica.model.Denoiser;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Int8Weights;
import io.harmonica.model.Weights;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The libtorch interpreter with a model's linear maps as engines in int8 have them: weights and
 * tokens are rounded to 8 bits, and then multiplied as the floating-point numbers that they stand
 * for. Tokens have a scale of their own, or the one that is known beforehand.
 *
 * <p>Gradients pass a rounding as if it were none (Bengio et al., arXiv 1308.3432).
 */
public final class Int8Ops extends RoundedOps {
  private static final float STEP = 1f / Int8Matrix.MOST;

  private Int8Ops(TorchOps ops, Int8Maps maps, InputScales scales) {
    super(ops, maps, scales);
  }

  /**
   * For a model; parameters are read when first used, each once.
   *
   * @param scales of what its maps read, where they are known beforehand
   */
  public static Int8Ops open(
      Denoiser model, Weights weights, InputScales scales, Device device, Precision precision) {
    return open(Int8Maps.of(model), weights, scales, device, precision);
  }

  static Int8Ops open(
      Int8Maps maps, Weights weights, InputScales scales, Device device, Precision precision) {
    TorchOps ops = TorchOps.open(new Int8Weights(weights, maps), device, precision);
    return new Int8Ops(ops, maps, scales);
  }

  @Override
  Tensor tokens(Tensor x, Optional<Float> scale) {
    return scale.map(known -> rounded(x, known)).orElseGet(() -> rounded(x));
  }

  /** Each row as multiples of a 127th of its largest number: (..., in). */
  static Tensor rounded(Tensor x) {
    Tensor exact = x.to(ScalarType.Float); // bf16 does not hold the fractions
    long[] last = {-1};
    Tensor largest =
        exact.abs().amax(last, /* keepdim= */ true).clamp_min(new Scalar(Int8Matrix.TINY));
    Scalar step = new Scalar(STEP);
    return passing(x, exact.div(largest).div(step).round().mul(step).mul(largest));
  }

  /** All as multiples of one number, -128 to 127 of it. */
  static Tensor rounded(Tensor x, float scale) {
    Scalar step = new Scalar(scale);
    Tensor codes = x.to(ScalarType.Float).div(step).round();
    Scalar most = new Scalar(Int8Matrix.MOST);
    return passing(
        x, codes.clamp_max(most).clamp_min(new Scalar((float) Byte.MIN_VALUE)).mul(step));
  }

  /** The rounded numbers, whose gradients are those of what they were. */
  private static Tensor passing(Tensor x, Tensor exact) {
    Tensor rounded = exact.to(x.scalar_type());
    return x.requires_grad() ? x.add(rounded.sub(x).detach()) : rounded;
  }
}
