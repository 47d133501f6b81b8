package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Autoencoder;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The decoder in libtorch against diffusers; its engine is held to the same numbers. */
@Tag("golden")
class DecoderGoldenTest {

  @Test
  void pixels_areTheGoldenOnes() {
    try (Checkpoint vae = Golden.open("vae");
        Checkpoint io = Golden.open("vae/io.safetensors")) {
      Autoencoder autoencoder = Autoencoder.of(vae);
      long[] shape = io.tensor("latents").shape().stream().mapToLong(Long::longValue).toArray();
      try (TorchOps ops = TorchOps.open(autoencoder.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Value latents = ops.input(floats(io, "latents"), shape);
        float[] expected = floats(io, "image");
        double largest = Golden.difference(expected, new float[expected.length]);
        assertClose(
            "image", autoencoder.decoder().decode(ops, latents).floats(), expected, 1e-4 * largest);
      }
    }
  }
}
