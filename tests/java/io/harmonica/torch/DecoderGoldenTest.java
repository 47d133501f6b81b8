package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Autoencoder;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The decoder in libtorch against diffusers; its engine is held to the same numbers. */
@Tag("golden")
class DecoderGoldenTest {

  /** The latter's latents have 16 channels and are shifted, without quant convolutions. */
  @ParameterizedTest
  @CsvSource({"vae, image", "vae16, decoded"})
  void pixels_areTheGoldenOnes(String folder, String pixels) {
    try (Checkpoint vae = Golden.open(folder);
        Checkpoint io = Golden.open(folder + "/io.safetensors")) {
      Autoencoder autoencoder = Autoencoder.of(vae);
      long[] shape = io.tensor("latents").shape().stream().mapToLong(Long::longValue).toArray();
      try (TorchOps ops = TorchOps.open(autoencoder.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Value latents = ops.input(floats(io, "latents"), shape);
        float[] expected = floats(io, pixels);
        double largest = Golden.difference(expected, new float[expected.length]);
        assertClose(
            "image", autoencoder.decoder().decode(ops, latents).floats(), expected, 5e-5 * largest);
      }
    }
  }
}
