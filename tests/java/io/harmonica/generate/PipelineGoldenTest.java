package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.picture.Latents;
import io.harmonica.sampler.Spacing;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trajectories against diffusers' DiTPipeline and facebookresearch/DiT's sampling. */
@Tag("golden")
class PipelineGoldenTest {
  static final Pattern DIFFUSERS = Pattern.compile("(noguidance\\.)?steps(\\d+)\\.x");
  private static final Pattern FACEBOOK = Pattern.compile("facebook\\.(ddim)?(\\d+)\\.x");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 0})
  void diffusers_everyStep(int blocksPerEngine) {
    Path repository =
        Exports.export(
            path("dit"),
            OptionalInt.empty(),
            List.of(),
            ExportOptions.of("dit").withBlocksPerEngine(blocksPerEngine),
            folder.resolve("repository"));
    int runs = 0;
    try (Checkpoint vectors = Golden.open("dit-pipeline/io.safetensors");
        Pipeline pipeline = Pipeline.open(repository, "dit")) {
      for (String name : vectors.names()) {
        Matcher run = DIFFUSERS.matcher(name);
        if (!run.matches()) {
          continue;
        }
        Request request = request(vectors).withSteps(Integer.parseInt(run.group(2)));
        boolean guided = run.group(1) == null;
        List<float[]> raw = new ArrayList<>();
        check(pipeline, guided ? request : request.withGuidance(1), floats(vectors, name), 1, raw);
        String rawName = "steps" + run.group(2) + ".raw_model_output";
        if (guided && vectors.names().contains(rawName)) {
          checkPredictions(raw, floats(vectors, rawName));
        }
        runs++;
      }
    }
    assertThat(runs).isPositive();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 0})
  void facebook_everyStep(int blocksPerEngine) {
    int heads = Golden.json("dit-facebook/arch.json").path("config").path("heads").asInt();
    Path repository =
        Exports.export(
            path("dit-facebook/model.pt"),
            OptionalInt.of(heads),
            List.of(),
            ExportOptions.of("dit").withBlocksPerEngine(blocksPerEngine),
            folder.resolve("repository"));
    int runs = 0;
    try (Checkpoint vectors = Golden.open("dit-pipeline/io.safetensors");
        Pipeline pipeline = Pipeline.open(repository, "dit")) {
      for (String name : vectors.names()) {
        Matcher run = FACEBOOK.matcher(name);
        if (!run.matches()) {
          continue;
        }
        Request request = request(vectors).withSteps(Integer.parseInt(run.group(2)));
        // The reference carries both halves; the first is the result, and alone feeds the model.
        check(
            pipeline,
            run.group(1) == null ? request : request.withSpacing(Spacing.OPENAI_DDIM),
            floats(vectors, name),
            2,
            new ArrayList<>());
        runs++;
      }
    }
    assertThat(runs).isPositive();
  }

  static Request request(Checkpoint vectors) {
    JsonNode info = Golden.json("dit-pipeline/info.json");
    return Request.of(integers(info.path("class_labels")))
        .withGuidance(info.path("guidance_scale").asDouble())
        .withLatents(latents(vectors, "latents"));
  }

  static Latents latents(Checkpoint vectors, String name) {
    List<Integer> shape = vectors.tensor(name).shape().stream().map(Math::toIntExact).toList();
    float[] values = floats(vectors, name);
    return new Latents(values, shape.get(0), shape.get(1), shape.get(2), shape.get(3));
  }

  /** Compares the state after every step; {@code copies} is how often a row holds the batch. */
  static void check(
      Pipeline pipeline, Request request, float[] states, int copies, List<float[]> raw) {
    int batch = request.latents().orElseThrow().values().length;
    pipeline.generate(
        request,
        step -> {
          int row = (step.step() + 1) * batch * copies;
          float[] expected = Arrays.copyOfRange(states, row, row + batch);
          assertClose(
              "x after step " + step.step(),
              step.latentsCopy(),
              expected,
              trajectoryTolerance(expected));
          FloatBuffer prediction = step.prediction().duplicate().rewind();
          float[] values = new float[prediction.remaining()];
          prediction.get(values);
          raw.add(values);
          return true;
        });
  }

  private static void checkPredictions(List<float[]> actual, float[] expected) {
    int size = actual.get(0).length;
    for (int s = 0; s < actual.size(); s++) {
      float[] row = Arrays.copyOfRange(expected, s * size, (s + 1) * size);
      assertClose("prediction at step " + s, actual.get(s), row, 1e-4);
    }
  }
}
