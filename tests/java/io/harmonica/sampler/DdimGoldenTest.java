package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;
import static io.harmonica.Golden.path;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** DDIM on the vectors' analytic model, against diffusers' scheduler and OpenAI's respacing. */
@Tag("golden")
class DdimGoldenTest {
  private static final double TOLERANCE = 1e-4; // as the vectors' README states it

  static Stream<String> runs() throws IOException {
    try (Stream<Path> files = Files.list(path("samplers"))) {
      List<String> names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.matches("(openai_)?ddim_eta\\d(_\\w+)?_\\d+\\.safetensors"))
              .map(name -> name.replace(".safetensors", ""))
              .sorted()
              .toList();
      assertThat(names).isNotEmpty();
      return names.stream();
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void trajectory_equalsTheReference(String run) {
    JsonNode info = Golden.json("samplers/" + run + ".json");
    List<Integer> expected = integers(info.path("timesteps"));
    int steps = expected.size();
    boolean openai = run.startsWith("openai");
    // OpenAI's 'ddimN' strides like diffusers where N divides the training steps.
    Spacing spacing = openai && !run.contains("ddimstride") ? Spacing.OPENAI : Spacing.LEADING;
    double eta = run.contains("eta1") ? 1 : 0;
    Ddim sampler =
        new Ddim(
            spacing.timesteps(steps, 1000),
            spacing,
            NoiseSchedule.linear(1000, 1e-4, 0.02, spacing),
            eta);
    assertThat(sampler.timesteps()).isEqualTo(expected);
    try (Checkpoint inputs = Golden.open("samplers/inputs_" + steps + ".safetensors");
        Checkpoint vectors = Golden.open("samplers/" + run + ".safetensors")) {
      float[] x = floats(inputs, "x_init");
      float[] noise = floats(inputs, "noise");
      float[] states = floats(vectors, "x");
      for (int s = 0; s < steps; s++) {
        float[] own = Arrays.copyOfRange(noise, s * x.length, (s + 1) * x.length);
        sampler.step(s, x, epsilon(x, expected.get(s)), sampler.needsNoise(s) ? own : null);
        float[] state = Arrays.copyOfRange(states, (s + 1) * x.length, (s + 2) * x.length);
        assertClose("x after step " + s, x, state, TOLERANCE);
      }
    }
  }

  /** The vectors' model: {@code tanh(0.7 x + 0.001 t)}. */
  private static float[] epsilon(float[] x, int timestep) {
    float[] epsilon = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      epsilon[i] = (float) Math.tanh(0.7 * x[i] + 0.001 * timestep);
    }
    return epsilon;
  }
}
