package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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

/** Every evaluation of U-ViT's trajectories, by its own code and Learning-to-Cache's. */
@Tag("golden")
class SinglestepGoldenTest {
  /** As the vectors' README has it: the reference keeps lambda and its inverse in fp32. */
  private static final double TIME_TOLERANCE = 0.01;

  static List<Path> runs() throws IOException {
    try (Stream<Path> files = Files.walk(path("uvit"))) {
      return files.filter(file -> file.getFileName().toString().startsWith("traj_")).toList();
    }
  }

  /** The outputs are the reference's; all samples follow from them. */
  @ParameterizedTest
  @MethodSource("runs")
  void everyEvaluation_isTheReferences(Path file) {
    String run = file.getFileName().toString().replaceAll("traj_|\\.safetensors", "");
    JsonNode info =
        Golden.json("uvit/" + file.getParent().getFileName() + "/sample.json")
            .path("trajectories")
            .path(run);
    Sampler sampler = sampler(run, info.path("nfe").asInt());
    try (Checkpoint vectors = Checkpoint.open(file)) {
      float[] times = floats(vectors, "t_eval");
      assertThat(sampler.timesteps().size()).isEqualTo(times.length);
      for (int s = 0; s < times.length; s++) {
        assertThat(sampler.timesteps().get(s)).isCloseTo(times[s], within(TIME_TOLERANCE));
      }
      float[] x = floats(vectors, "z_init");
      float[] outputs = floats(vectors, "eps");
      float[] samples = floats(vectors, "x_eval");
      float[] byNumbers = x.clone();
      Stepper stepper = sampler.start();
      ByNumbers numbers = new ByNumbers();
      for (int s = 0; s < times.length; s++) {
        float[] expected = row(samples, s, x.length);
        assertClose("x at evaluation " + s, x, expected, trajectoryTolerance(expected));
        assertClose("by numbers " + s, byNumbers, expected, trajectoryTolerance(expected));
        float[] output = row(outputs, s, x.length);
        numbers.step(sampler.linear(s).orElseThrow(), byNumbers, output);
        stepper.step(s, x, Prediction.of(output), null);
      }
      float[] expected = floats(vectors, "z_final");
      assertClose("the end", x, expected, trajectoryTolerance(expected));
      assertClose("the end by numbers", byNumbers, expected, trajectoryTolerance(expected));
    }
  }

  private static Sampler sampler(String run, int evaluations) {
    AnyTime noising = run.startsWith("continuous") ? AnyTime.CONTINUOUS : AnyTime.DISCRETE;
    boolean fast = run.startsWith("continuous") || run.startsWith("fast3");
    String name = fast ? "dpm-solver-fast" : "dpm-solver-2";
    return noising.sampler(name, evaluations, Spacing.UNIFORM);
  }

  private static float[] row(float[] values, int row, int size) {
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }
}
