package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.trajectoryTolerance;
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
  /**
   * Absolute, as the vectors' README states it. It is held step by step from the reference's state:
   * over a trajectory one last bit of torch's own tanh, in the vectors' model, grows to 1.1e-4 at
   * |x| = 300 (with torch's tanh this arithmetic repeats the vectors bit for bit).
   */
  private static final double TOLERANCE = 1e-4;

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
    Spacing spacing =
        !run.startsWith("openai")
            ? Spacing.LEADING
            : run.contains("ddimstride") ? Spacing.OPENAI_DDIM : Spacing.OPENAI;
    // OpenAI's runs do not say theirs; the vectors' README calls it linear, as diffusers' are.
    JsonNode config = info.path("config");
    int trainTimesteps = config.path("num_train_timesteps").asInt(1000);
    double betaStart = config.path("beta_start").asDouble(1e-4);
    double betaEnd = config.path("beta_end").asDouble(0.02);
    assertThat(config.path("beta_schedule").asText("linear")).isEqualTo("linear");
    float eta = run.contains("eta1") ? 1 : 0;
    Ddim sampler =
        new Ddim(
            spacing.timesteps(steps, trainTimesteps),
            spacing,
            NoiseSchedule.linear(trainTimesteps, betaStart, betaEnd, spacing),
            eta);
    assertThat(sampler.timesteps()).isEqualTo(expected);
    try (Checkpoint inputs = Golden.open("samplers/inputs_" + steps + ".safetensors");
        Checkpoint vectors = Golden.open("samplers/" + run + ".safetensors")) {
      float[] x = floats(inputs, "x_init"); // our own trajectory
      float[] noise = floats(inputs, "noise");
      float[] states = floats(vectors, "x");
      for (int s = 0; s < steps; s++) {
        float[] z = sampler.needsNoise(s) ? row(noise, s, x.length) : null;
        float[] next = row(states, s + 1, x.length);
        float[] one = row(states, s, x.length);
        sampler.step(s, one, epsilon(one, expected.get(s)), z);
        assertClose("one step from state " + s, one, next, TOLERANCE);
        sampler.step(s, x, epsilon(x, expected.get(s)), z);
        assertClose("x after step " + s, x, next, trajectoryTolerance(next));
      }
    }
  }

  private static float[] row(float[] values, int row, int size) {
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }

  /** The vectors' model: {@code tanh(0.7 x + 0.001 t)}. */
  private static float[] epsilon(float[] x, int timestep) {
    float[] epsilon = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      epsilon[i] = (float) Math.tanh(0.7f * x[i] + (float) (0.001 * timestep));
    }
    return epsilon;
  }
}
