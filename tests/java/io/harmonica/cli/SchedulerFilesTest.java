package io.harmonica.cli;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.picture.Latents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * From a scheduler's file to finished latents, through the manifest: what diffusers' own scheduler
 * draws with the example's transformer, whatever its output is taken for. {@code
 * make_schedulers.py} beside the numbers made them.
 */
class SchedulerFilesTest {
  private static final Path FOLDER = Path.of("tests/resources/io/harmonica/cli");
  private static final int STEPS = 5;

  @TempDir Path folder;

  private static JsonNode schedulers() throws IOException {
    return new ObjectMapper().readTree(FOLDER.resolve("schedulers.json").toFile());
  }

  static List<String> runs() throws IOException {
    List<String> names = new ArrayList<>();
    schedulers().fieldNames().forEachRemaining(names::add);
    return names;
  }

  @ParameterizedTest
  @MethodSource("runs")
  void latents_areDiffusers(String run) throws IOException {
    Path transformer = Files.createDirectories(folder.resolve("p/transformer"));
    for (String file : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
      Files.copy(Checkpoints.SHAPES.resolve(file), transformer.resolve(file));
    }
    Files.createDirectory(folder.resolve("p/scheduler"));
    Files.writeString(
        folder.resolve("p/scheduler/scheduler_config.json"), schedulers().path(run).toString());
    String line =
        "--checkpoint p --model-name m --blocks-per-engine all --steps-per-request 2"
            + " --model-repository repository";
    Invocation done =
        Invocation.run(
            console ->
                HarmonicaExport.run(
                    line.replace(" p ", " " + folder.resolve("p") + " ")
                        .replace(" repository", " " + folder.resolve("repository"))
                        .split(" "),
                    console.out(),
                    console.err()));
    assertThat(done.err()).isEmpty();
    try (Checkpoint vectors = Checkpoint.open(FOLDER.resolve("schedulers.safetensors"))) {
      Request request =
          Request.of(List.of(3))
              .withSteps(STEPS)
              .withGuidance(1.5)
              .withLatents(new Latents(floats(vectors, "start"), 1, 3, 32, 32));
      float[] expected = floats(vectors, run);
      for (int stepsPerRequest : new int[] {1, 2}) {
        try (Pipeline pipeline =
            Pipeline.builder("m")
                .repository(folder.resolve("repository"))
                .stepsPerRequest(stepsPerRequest)
                .open()) {
          float[] latents = pipeline.generate(request).latents().values();
          assertClose(run, latents, expected, trajectoryTolerance(expected));
        }
      }
    }
  }
}
