package io.harmonica.train.trajectory;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.model.InputScales;
import io.harmonica.torch.Device;
import io.harmonica.torch.Int8Ops;
import io.harmonica.torch.Precision;
import io.harmonica.train.Tiny;
import org.junit.jupiter.api.Test;

/** Passes as engines in int8 make them, measured against pictures that are exact. */
class Int8DenoisingTest {
  @Test
  void passesAreRounded_whatTheyAreMeasuredByIsNot() {
    try (Tiny tiny = new Tiny(3);
        Int8Ops rounded =
            Int8Ops.open(
                tiny.model.denoiser(),
                tiny.model.weights(),
                InputScales.NONE,
                Device.of("cpu"),
                Precision.FP32)) {
      Denoising exact = tiny.denoising();
      Denoising int8 = tiny.denoising().in(rounded, "int8");
      assertThat(exact.precision()).isEqualTo("fp32");
      assertThat(int8.precision()).isEqualTo("int8");
      assertThat(int8.unguided().precision()).isEqualTo("int8");
      Batch batch = int8.draw(2, 7);
      float[] expected = exact.uncached(batch);
      assertThat(int8.uncached(batch)).containsExactly(expected);
      try (Walk walk = Walk.start(int8, batch, 0, 0)) {
        int8.finish(walk, step -> Substitute.NONE);
        // Random weights: measured 0.48, where samples reach several; in fp32 it would be 0.
        assertThat(Golden.difference(walk.x(), expected)).isBetween(1e-2, 1.0);
      }
    }
  }
}
