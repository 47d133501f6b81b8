package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stable Diffusion 3 and 3.5 in libtorch against diffusers; their engines have the same numbers.
 */
@Tag("golden")
class Sd3GoldenTest {
  private static final double TOLERANCE = 5e-5;

  @ParameterizedTest
  @ValueSource(strings = {"sd3/sd3", "sd3/sd35-medium"})
  void prediction_andBranches(String flavour) {
    try (Checkpoint source = Golden.open(flavour);
        Checkpoint io = Golden.open(flavour + "/io.safetensors")) {
      Resolution resolution =
          new Resolution(8 * size(io, "hidden_states", 2), 8 * size(io, "hidden_states", 3));
      int tokens = size(io, "encoder_hidden_states", 1);
      Model model =
          Model.of(source, Choices.NONE.withResolution(resolution).withTextTokens(tokens));
      try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Map<String, Value> outputs =
            Pass.run(
                model.denoiser(),
                ops,
                Map.of(
                    "sample", tensor(ops, io, "hidden_states"),
                    "timestep", ops.input(floats(io, "timestep"), size(io, "timestep", 0), 1),
                    "text_embedding", tensor(ops, io, "encoder_hidden_states"),
                    "pooled_text", tensor(ops, io, "pooled_projections")));
        assertClose(
            "output", outputs.get(Pass.PREDICTION).floats(), floats(io, "output"), TOLERANCE);
        int checked = 0;
        for (Branch branch : model.denoiser().branches()) {
          String theirs = theirs(branch);
          boolean joint =
              branch.kind().equals("attention") && io.names().contains(theirs + "_context");
          if (!joint) { // of which the vectors have each half
            assertClose(theirs, outputs.get(branch.name()).floats(), floats(io, theirs), TOLERANCE);
            checked++;
          }
        }
        assertThat(checked).isGreaterThan(model.denoiser().branches().size() / 2);
      }
    }
  }

  private static String theirs(Branch branch) {
    Map<String, String> kinds =
        Map.of("attention", "attn", "attention2", "attn2", "mlp", "ff", "text_mlp", "ff_context");
    return "transformer_blocks." + branch.block() + "." + kinds.get(branch.kind());
  }

  private static Value tensor(TorchOps ops, Checkpoint io, String name) {
    long[] shape = io.tensor(name).shape().stream().mapToLong(Long::longValue).toArray();
    return ops.input(floats(io, name), shape);
  }
}
