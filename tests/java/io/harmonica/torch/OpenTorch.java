package io.harmonica.torch;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Weights;

/** A process of its own that uses libtorch, and says in one line how that went. */
final class OpenTorch {
  private OpenTorch() {}

  public static void main(String[] args) {
    try {
      Device device = Device.of(args[0]);
      try (TorchOps ops = TorchOps.open(Weights.NONE, device, Precision.FP32);
          Scope scope = Scope.open()) {
        System.out.println("square " + ops.square(ops.input(new float[] {3}, 1)).item());
      }
    } catch (HarmonicaException e) {
      System.out.println("error: " + e.getMessage());
    }
  }
}
