package io.harmonica.torch;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A libtorch tensor. The {@link Scope} it was made in owns it; who took it out by {@link
 * Scope#keep} closes it.
 */
public final class Value implements AutoCloseable {
  final Tensor tensor;

  Value(Tensor tensor) {
    Scope.requireOpen();
    this.tensor = tensor;
  }

  public long[] shape() {
    long[] shape = new long[Math.toIntExact(tensor.dim())];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }

  /** A copy, row-major, whatever device and precision it has. */
  public float[] floats() {
    return floats(tensor);
  }

  /** The only element. */
  public double item() {
    return tensor.item_double();
  }

  /** The same numbers, outside the history of the gradients. */
  public Value detach() {
    return new Value(tensor.detach());
  }

  /** The same numbers as a leaf: where the history of a gradient begins. */
  public Value asLeaf() {
    Tensor leaf = tensor.detach();
    leaf.set_requires_grad(true);
    return new Value(leaf);
  }

  /** The derivative of a leaf along a direction of its shape; 0 where no pass has reached it. */
  public double gradientAlong(Value direction) {
    Tensor gradient = tensor.grad();
    return gradient.defined() ? gradient.mul(direction.tensor).sum().item_double() : 0;
  }

  /** Adds the gradients of this scalar to all leaves that it was computed from. */
  public void backward() {
    tensor.backward();
  }

  /** The gradient of a leaf, row-major; zeros where no backward pass has reached it. */
  public float[] gradient() {
    if (!tensor.requires_grad() || !tensor.is_leaf()) {
      throw new IllegalStateException("not a leaf: only TorchOps.leaf keeps its gradient");
    }
    try (Scope scope = Scope.withoutGradients()) {
      Tensor gradient = tensor.grad();
      return gradient.defined() ? floats(gradient) : new float[Math.toIntExact(tensor.numel())];
    }
  }

  ScalarType type() {
    return tensor.scalar_type().intern(); // JavaCPP makes a new one each time
  }

  private static float[] floats(Tensor tensor) {
    try (Scope scope = Scope.withoutGradients()) {
      Tensor copy =
          tensor.detach().to(new org.bytedeco.pytorch.Device("cpu"), ScalarType.Float).contiguous();
      float[] values = new float[Math.toIntExact(copy.numel())];
      copy.data_ptr_float().get(values);
      return values;
    }
  }

  @Override
  public void close() {
    tensor.releaseReference();
  }
}
