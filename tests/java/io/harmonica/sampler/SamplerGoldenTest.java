package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every sampler on the vectors' analytic model, against diffusers' schedulers and OpenAI's code.
 */
@Tag("golden")
class SamplerGoldenTest {
  /**
   * Absolute, as the vectors' README states it, and less than it states for SA-Solver. It is held
   * step by step from the reference's state: over a trajectory one last bit of torch's own tanh, in
   * the vectors' model, grows to 1.1e-4 at |x| = 300 (with torch's tanh DDIM's arithmetic repeats
   * the vectors bit for bit).
   */
  private static final double TOLERANCE = 1e-4;

  static List<String> runs() throws IOException {
    try (Stream<Path> files = Files.list(path("samplers"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".json"))
          .map(name -> name.replace(".json", ""))
          .sorted()
          .toList();
    }
  }

  @Test
  void runs_coverEverySampler() throws IOException {
    Set<String> covered = new HashSet<>();
    runs().forEach(run -> covered.add(name(run)));
    assertThat(covered)
        .isEqualTo(
            Set.copyOf(
                Sampler.ofDiffusion())); // SinglestepGoldenTest, FlowEulerTest have the others
  }

  @ParameterizedTest
  @MethodSource("runs")
  void trajectory_equalsTheReference(String run) {
    JsonNode info = Golden.json("samplers/" + run + ".json");
    List<Integer> expected = integers(info.path("timesteps"));
    int steps = expected.size();
    Sampler sampler = sampler(run, info.path("config"), steps);
    assertThat(sampler.timesteps()).isEqualTo(Timesteps.of(expected));
    try (Checkpoint inputs = Golden.open("samplers/inputs_" + steps + ".safetensors");
        Checkpoint vectors = Golden.open("samplers/" + run + ".safetensors")) {
      float[] x = floats(inputs, "x_init"); // our own trajectory
      float[] noise = floats(inputs, "noise");
      float[] states = floats(vectors, "x");
      ByNumbers numbers = new ByNumbers();
      Stepper own = sampler.start();
      Stepper guided = sampler.start(); // put back to the reference's state before each step
      for (int s = 0; s < steps; s++) {
        float[] z = sampler.needsNoise(s) ? row(noise, s, x.length) : null;
        float[] next = row(states, s + 1, x.length);
        float[] one = row(states, s, x.length);
        guided.step(s, one, prediction(one, expected.get(s)), z);
        assertClose("one step from state " + s, one, next, TOLERANCE);
        own.step(s, x, prediction(x, expected.get(s)), z);
        if (sampler.linear(s).isPresent()) {
          float[] numbered = row(states, s, x.length);
          numbers.step(
              sampler.linear(s).get(), numbered, prediction(numbered, expected.get(s)).output());
          assertClose("by numbers from state " + s, numbered, next, TOLERANCE);
        }
        assertClose("x after step " + s, x, next, trajectoryTolerance(next));
      }
    }
  }

  private static Sampler sampler(String run, JsonNode config, int steps) {
    // OpenAI's runs do not say theirs; the vectors' README calls it linear, as diffusers' are.
    Diffusion diffusion =
        new Diffusion(
            config.path("num_train_timesteps").asInt(1000),
            Betas.of(config.path("beta_schedule").asText("linear")),
            config.path("beta_start").asDouble(1e-4),
            config.path("beta_end").asDouble(0.02),
            Predicts.of(config.path("prediction_type").asText("epsilon")));
    Spacing origin =
        !run.startsWith("openai")
            ? Spacing.LEADING
            : run.contains("ddimstride") ? Spacing.OPENAI_DDIM : Spacing.OPENAI;
    Spacing usual = Sampler.spacing(name(run), origin);
    Spacing spacing = Spacing.of(config.path("timestep_spacing").asText(usual.toString()));
    Sampler sampler = Sampler.of(name(run), steps, spacing, diffusion);
    return run.contains("eta1") ? sampler.withEta(1) : sampler;
  }

  /** What we call a run's sampler. */
  private static String name(String run) {
    return run.contains("ddim_")
        ? "ddim"
        : run.startsWith("dpmpp_2m")
            ? "dpm-solver++"
            : run.startsWith("sa_solver") ? "sa-solver" : "iddpm";
  }

  private static float[] row(float[] values, int row, int size) {
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }

  /** The vectors' model: {@code tanh(0.7 x + 0.001 t)}, and {@code 0.5 sin x} as variance. */
  private static Prediction prediction(float[] x, int timestep) {
    float[] epsilon = new float[x.length];
    float[] variance = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      epsilon[i] = (float) Math.tanh(0.7f * x[i] + (float) (0.001 * timestep));
      variance[i] = 0.5f * (float) Math.sin(x[i]);
    }
    return new Prediction(epsilon, variance);
  }
}
