package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Names;
import io.harmonica.router.Router;
import io.harmonica.router.Uncached;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Spacing;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * DiTs that were trained without class dropout, against torch and diffusers: {@code
 * make_vectors.py} beside the vectors.
 */
class NoNullClassTest {
  private static final Path FILES = Path.of("tests/resources/io/harmonica/generate/no-null-class");
  private static final int STEPS = 5;
  private static final double TOLERANCE = 1e-4; // as of the golden vectors of DiT

  @TempDir static Path folder;

  private static Path repository;
  private static Checkpoint expected;

  @BeforeAll
  static void export() {
    repository = folder.resolve("repository");
    expected = Checkpoint.open(FILES.resolve("expected.safetensors"));
    export("classes", FILES.resolve("classes.pt"), Choices.NONE);
    export("one", FILES.resolve("one-class.pt"), Choices.NONE);
    Path bare =
        Checkpoints.facebook(folder, Checkpoints.tensors(FILES.resolve("classes.pt"))); // no args
    Choices heads = Choices.NONE.withHeads(OptionalInt.of(2));
    export("asked", bare, heads.withNoNullClass(true));
    export("assumed", bare, heads);
  }

  @AfterAll
  static void close() {
    expected.close();
  }

  private static void export(String name, Path file, Choices choices) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      Model model = Model.of(checkpoint, choices);
      Router router =
          new Uncached()
              .router(
                  "all",
                  model.denoiser().architecture(),
                  "ddim",
                  Timesteps.of(Spacing.LEADING.timesteps(STEPS, 1000)),
                  model.denoiser().branchNames());
      ExportOptions options = // batches that have no room for a second half
          new ExportOptions(name, Precision.FP32, ExportOptions.Platform.ONNXRUNTIME, 1, 3, false)
              .withStepsPerRequest(2);
      new Exporter(model, List.of(router), options).export(repository);
    }
  }

  @ParameterizedTest
  @CsvSource({"classes,''", "one,one.", "asked,''"})
  void onePass_ofEveryClass_isTorchs(String model, String prefix) {
    long n = expected.tensor(prefix + "t").elements();
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
        Tensor x = runtime.tensor(FloatBuffer.wrap(floats(expected, prefix + "x")), n, 4, 4, 4);
        Tensor t = runtime.tensor(LongBuffer.wrap(longs(expected, prefix + "t")), n, 1);
        Tensor y = runtime.tensor(LongBuffer.wrap(longs(expected, prefix + "y")), n, 1)) {
      Map<String, Tensor> inputs = Map.of(Names.SAMPLE, x, Names.TIMESTEP, t, Names.CLASS_LABEL, y);
      try (Tensor output =
          runtime
              .infer(model, inputs, Set.of(Names.NOISE_PREDICTION))
              .get(Names.NOISE_PREDICTION)) {
        float[] values = new float[output.floats().remaining()];
        output.floats().get(values);
        assertClose("output", values, floats(expected, prefix + "output"), TOLERANCE);
      }
    }
  }

  private static Request request(String prefix) {
    List<Integer> labels =
        Arrays.stream(longs(expected, prefix + "labels")).mapToObj(y -> (int) y).toList();
    Latents start = new Latents(floats(expected, prefix + "start"), labels.size(), 4, 4, 4);
    return Request.of(labels).withRouter("all").withSpacing(Spacing.LEADING).withLatents(start);
  }

  @ParameterizedTest
  @CsvSource({"classes,'',1", "classes,'',2", "one,one.,1", "one,one.,2", "asked,'',1"})
  void drawn_byDefault_isDiffusersWithoutGuidance(String model, String prefix, int perRequest) {
    float[] drawn = floats(expected, prefix + "drawn");
    try (Pipeline pipeline =
        Pipeline.builder(model).repository(repository).stepsPerRequest(perRequest).open()) {
      assertThat(pipeline.guidanceScale(request(prefix).style())).isEqualTo(1);
      float[] own = pipeline.generate(request(prefix)).latents().values();
      assertClose("drawn", own, drawn, trajectoryTolerance(drawn));
    }
  }

  @ParameterizedTest
  @CsvSource({"classes,1,0..2", "classes,2,0..2", "one,1,0..0"})
  void guidanceAbove1_andLabelsBehindTheTable_areRefused(
      String model, int perRequest, String classes) {
    try (Pipeline pipeline =
        Pipeline.builder(model).repository(repository).stepsPerRequest(perRequest).open()) {
      Request request = Request.of(List.of(0)).withSteps(STEPS);
      assertThatThrownBy(() -> pipeline.generate(request.withGuidance(1.5)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(
              "guidance 1.5 needs a null class to lead away from, and model %s has none"
                  .formatted(model));
      assertThatThrownBy(() -> pipeline.check(request.withContent(Content.of(List.of(3)))))
          .hasMessage("unknown class 3: model %s has classes %s".formatted(model, classes));
    }
  }

  /** The same file, of which nothing says so: as always, and so its last class is none. */
  @Test
  void assumedNullClass_isGuidedAwayFrom() {
    try (Pipeline pipeline = Pipeline.open(repository, "assumed")) {
      Request request = Request.of(List.of(1)).withSteps(STEPS);
      assertThat(pipeline.guidanceScale(request.style())).isEqualTo(1.5);
      assertThat(pipeline.manifest().classes()).isEqualTo(2);
      assertThatThrownBy(() -> pipeline.check(request.withContent(Content.of(List.of(2)))))
          .hasMessage("unknown class 2: model assumed has classes 0..1");
    }
  }
}
