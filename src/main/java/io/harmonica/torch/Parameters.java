package io.harmonica.torch;

import io.harmonica.model.Weights;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A model's parameters and constants on the device, each read and sent there once. */
final class Parameters implements AutoCloseable {

  /** Equal by content. */
  private record Constant(float[] values, long[] shape) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Constant that
          && Arrays.equals(values, that.values)
          && Arrays.equals(shape, that.shape);
    }

    @Override
    public int hashCode() {
      return 31 * Arrays.hashCode(values) + Arrays.hashCode(shape);
    }
  }

  private record Parameter(Tensor tensor, TensorOptional optional, long[] shape) {}

  private final Weights weights;
  private final Device device;
  private final ScalarType type;
  private final Map<String, Parameter> parameters = new HashMap<>();
  private final Map<Constant, Tensor> constants = new HashMap<>();

  Parameters(Weights weights, Device device, ScalarType type) {
    this.weights = weights;
    this.device = device;
    this.type = type;
  }

  /** A parameter in the precision of the parameters. */
  Tensor tensor(String name, long... shape) {
    return parameter(name, shape).tensor;
  }

  /** The same, as libtorch takes a bias. */
  TensorOptional optional(String name, long... shape) {
    return parameter(name, shape).optional;
  }

  private Parameter parameter(String name, long... shape) {
    Parameter known = parameters.get(name);
    if (known == null) {
      try (Scope scope = Scope.withoutGradients()) {
        Tensor tensor = send(weights.read(name, shape), type, device, shape);
        known = new Parameter(tensor, new TensorOptional(tensor), shape.clone());
        known.tensor.retainReference();
        known.optional.retainReference();
        parameters.put(name, known);
      }
    } else if (!Arrays.equals(known.shape, shape)) {
      weights.require(name, shape); // says what is wrong
      throw new IllegalArgumentException(
          name + Arrays.toString(known.shape) + " used as " + Arrays.toString(shape));
    }
    return known;
  }

  Tensor constant(float[] values, ScalarType as, long... shape) {
    return constants.computeIfAbsent(
        new Constant(values.clone(), shape.clone()),
        key -> {
          try (Scope scope = Scope.withoutGradients()) {
            Tensor tensor = send(values, as, device, shape);
            tensor.retainReference();
            return tensor;
          }
        });
  }

  static Tensor send(float[] values, ScalarType type, Device device, long... shape) {
    requireElements(values.length, shape);
    Tensor tensor = torch.empty(shape); // fp32, on the CPU
    if (values.length > 0) {
      tensor.data_ptr_float().put(values);
    }
    return tensor.to(device.torch(), type);
  }

  static void requireElements(int count, long... shape) {
    if (count != Arrays.stream(shape).reduce(1, Math::multiplyExact)) {
      throw new IllegalArgumentException(count + " values for shape " + Arrays.toString(shape));
    }
  }

  @Override
  public void close() {
    for (Parameter parameter : parameters.values()) {
      parameter.tensor.releaseReference();
      parameter.optional.releaseReference();
    }
    parameters.clear();
    constants.values().forEach(Tensor::releaseReference);
    constants.clear();
  }
}
