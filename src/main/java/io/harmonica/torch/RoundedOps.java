package io.harmonica.torch;

import io.harmonica.model.Forwarding;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * The libtorch interpreter with a model's linear maps as engines of few bits have them: weights and
 * what they read are rounded, and then multiplied as the numbers that these stand for.
 *
 * <p>Owns the interpreter whose weights are rounded; {@link #close} ends it.
 */
abstract class RoundedOps extends Forwarding<Value> implements AutoCloseable {
  private final TorchOps ops;
  private final Int8Maps maps;
  private final InputScales scales;

  /**
   * Over another.
   *
   * @param ops with weights rounded already
   * @param maps whose tokens are rounded
   * @param scales of what these read, where known beforehand
   */
  RoundedOps(TorchOps ops, Int8Maps maps, InputScales scales) {
    super(ops);
    this.ops = ops;
    this.maps = maps;
    this.scales = scales;
  }

  @Override
  public Value linear(Value x, String name, int in, int out) {
    return super.linear(read(x, name + ".weight"), name, in, out);
  }

  @Override
  public Value project(Value x, String name, int in, int out) {
    return super.project(read(x, name), name, in, out);
  }

  /** What a linear map reads. */
  private Value read(Value x, String weight) {
    return maps.tokens().contains(weight)
        ? new Value(tokens(x.tensor, scales.of(weight).map(scale -> scale.get())))
        : x;
  }

  /** Tokens (..., in) as their codes have them. */
  abstract Tensor tokens(Tensor x, Optional<Float> scale);

  @Override
  public void close() {
    ops.close();
  }
}
