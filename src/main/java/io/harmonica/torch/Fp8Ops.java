package io.harmonica.torch;

import io.harmonica.model.Denoiser;
import io.harmonica.model.Fp8;
import io.harmonica.model.Fp8Weights;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Weights;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The libtorch interpreter with a model's linear maps as engines in fp8 have them: weights and what
 * they read are rounded to floating-point numbers of 8 bits, and then multiplied as the numbers
 * that these stand for.
 */
public final class Fp8Ops extends RoundedOps {
  private Fp8Ops(TorchOps ops, Int8Maps maps, InputScales scales) {
    super(ops, maps, scales);
  }

  /**
   * For a model; parameters are read when first used, each once.
   *
   * @param scales of what its maps read, each known
   */
  public static Fp8Ops open(
      Denoiser model, Weights weights, InputScales scales, Device device, Precision precision) {
    return open(Int8Maps.of(model), weights, scales, device, precision);
  }

  static Fp8Ops open(
      Int8Maps maps, Weights weights, InputScales scales, Device device, Precision precision) {
    TorchOps ops = TorchOps.open(new Fp8Weights(weights, maps), device, precision);
    return new Fp8Ops(ops, maps, scales);
  }

  @Override
  Tensor tokens(Tensor x, Optional<Float> scale) {
    return rounded(x, scale.orElseThrow());
  }

  /** All as floating-point numbers of 8 bits times one number; the largest where they exceed it. */
  static Tensor rounded(Tensor x, float scale) {
    Scalar step = new Scalar(scale);
    Scalar most = new Scalar(Fp8.MOST);
    Tensor codes = x.to(ScalarType.Float).div(step).clamp_max(most);
    codes = codes.clamp_min(new Scalar(-Fp8.MOST)).to(ScalarType.Float8_e4m3fn);
    return codes.to(ScalarType.Float).mul(step).to(x.scalar_type());
  }
}
