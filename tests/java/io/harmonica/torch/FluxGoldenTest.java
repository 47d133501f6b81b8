package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.size;

import io.harmonica.Golden;
import io.harmonica.PackedLatents;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** FLUX.1 in libtorch against diffusers; its engines have the same numbers. */
@Tag("golden")
class FluxGoldenTest {
  private static final double TOLERANCE = 5e-5;

  @ParameterizedTest
  @ValueSource(strings = {"flux/dev", "flux/schnell"})
  void prediction_andBranches(String flavour) {
    try (Checkpoint source = Golden.open(flavour);
        Checkpoint io = Golden.open(flavour + "/io.safetensors")) {
      int channels = size(io, "latents", 1);
      int height = size(io, "latents", 2);
      int width = size(io, "latents", 3);
      int rows = size(io, "latents", 0);
      int tokens = size(io, "encoder_hidden_states", 1);
      Model model =
          Model.of(
              source,
              Choices.NONE
                  .withResolution(new Resolution(8 * height, 8 * width))
                  .withTextTokens(tokens));
      try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        float[] timesteps = floats(io, "timestep");
        for (int i = 0; i < rows; i++) {
          timesteps[i] *= 1000; // theirs goes from 0 to 1
        }
        Map<String, Value> inputs = new HashMap<>();
        inputs.put("sample", ops.input(floats(io, "latents"), rows, channels, height, width));
        inputs.put("timestep", ops.input(timesteps, rows, 1));
        inputs.put("text_embedding", tensor(ops, io, "encoder_hidden_states"));
        inputs.put("pooled_text", tensor(ops, io, "pooled_projections"));
        if (io.names().contains("guidance")) {
          inputs.put("guidance_scale", ops.input(floats(io, "guidance"), rows, 1));
        }
        Map<String, Value> outputs = Pass.run(model.denoiser(), ops, inputs);
        assertClose(
            "output",
            outputs.get(Pass.PREDICTION).floats(),
            new PackedLatents(channels, height, width).unpack(floats(io, "output")),
            TOLERANCE);
        check(outputs, "block00.mlp", io, "transformer_blocks.0.ff");
        check(outputs, "block01.text_mlp", io, "transformer_blocks.1.ff_context");
        check(outputs, "block03.single", io, "single_transformer_blocks.0.proj_out");
      }
    }
  }

  private static void check(Map<String, Value> ours, String name, Checkpoint io, String theirs) {
    assertClose(name, ours.get(name).floats(), floats(io, theirs), TOLERANCE);
  }

  private static Value tensor(TorchOps ops, Checkpoint io, String name) {
    long[] shape = io.tensor(name).shape().stream().mapToLong(Long::longValue).toArray();
    return ops.input(floats(io, name), shape);
  }
}
