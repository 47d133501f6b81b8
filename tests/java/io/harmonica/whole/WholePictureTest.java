package io.harmonica.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.cli.PipelineFolder;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A picture in one request is the loop's, in this process. */
class WholePictureTest {
  private static final int STEPS = 8;

  /** Relative to {@code max(1, |x|)}; why, says {@code StretchTest}. */
  private static final double RANDOM_WEIGHTS = 5e-5;

  private static final double TRAINED = 1e-5;

  /** Twenty steps, and texts embedded in another batch than the loop's. */
  private static final double RANDOM_TEXTS = 2e-4;

  @TempDir static Path repository;

  @BeforeAll
  static void export() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      List<Router> routers = new ArrayList<>();
      routers.add(Exports.staggered("last", model, STEPS, 3, Reuse.LAST));
      routers.add(Exports.staggered("linear", model, STEPS, 3, Reuse.LINEAR));
      routers.add(
          Exports.forSampler(
              Exports.staggered("solved", model, STEPS, 3, Reuse.LINEAR),
              "dpm-solver++",
              Spacing.LINSPACE.solverTimesteps(STEPS, 1000)));
      new Exporter(model, routers, ExportOptions.of("dit"))
          .withPictures(List.of("none", "last", "linear", "solved"))
          .export(repository);
    }
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES)) {
      List<Router> routers = new ArrayList<>();
      for (String name : List.of("fora-2", "taylor-2", "trained-20-2.0x")) {
        routers.add(Router.read(Checkpoints.SHAPES.resolve("routers/" + name + ".json")));
      }
      new Exporter(Exports.model(checkpoint), routers, ExportOptions.of("shapes"))
          .withPictures(List.of("none", "fora-2", "taylor-2", "trained-20-2.0x"))
          .export(repository);
    }
  }

  private static Latents noise(int count, int channels, int size) {
    Random random = new Random(5);
    float[] values = new float[count * channels * size * size];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new Latents(values, count, channels, size, size);
  }

  private static void assertSame(Latents actual, Latents expected, double tolerance) {
    assertThat(actual.values()).hasSameSizeAs(expected.values());
    double largest = 0;
    for (int i = 0; i < actual.values().length; i++) {
      float value = expected.values()[i];
      double difference = Math.abs(actual.values()[i] - value);
      largest = Math.max(largest, difference / Math.max(1, Math.abs(value)));
    }
    System.out.println("LARGEST " + largest);
    assertThat(largest).isLessThanOrEqualTo(tolerance);
  }

  @ParameterizedTest
  @CsvSource({
    "none, 4", "last, 4", "linear, 4", "solved, 4",
    "none, 1", "last, 1", "linear, 0", "solved, 1"
  })
  void latentsOfLabels_areTheLoops(String router, double guidance) {
    List<Integer> classes = List.of(2, 0, 1);
    Latents noise = noise(3, 4, 8);
    Request request =
        Request.of(classes).withRouter(router).withGuidance(guidance).withLatents(noise);
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
        Pipeline pipeline = Pipeline.open(repository, "dit")) {
      Latents expected = pipeline.generate(request).latents();
      WholeCall call = new WholeCall(runtime, "dit." + router);
      WholeCall.Answer answer = call.labels(noise, classes, guidance, guidance, guidance);
      assertSame(answer.latents(), expected, RANDOM_WEIGHTS);
      assertThat(answer.images()).isEmpty(); // no decoder
    }
  }

  /** Each row has its own scale; one without guidance is drawn as if alone. */
  @Test
  void scalesOfOneRequest_mayDiffer() {
    Latents noise = noise(3, 4, 8);
    List<Integer> classes = List.of(2, 0, 1);
    double[] scales = {4, 1, 1.5};
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
        Pipeline pipeline = Pipeline.open(repository, "dit")) {
      Latents together =
          new WholeCall(runtime, "dit.linear").labels(noise, classes, scales).latents();
      for (int i = 0; i < 3; i++) {
        Request alone =
            Request.of(classes.subList(i, i + 1))
                .withRouter("linear")
                .withGuidance(scales[i])
                .withLatents(noise.rows(i, i + 1));
        assertSame(
            together.rows(i, i + 1), pipeline.generate(alone).latents(), RANDOM_WEIGHTS);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"none", "fora-2", "taylor-2", "trained-20-2.0x"})
  void picturesOfTheExample_areTheLoops(String router) {
    List<Integer> classes = List.of(3, 7);
    Latents noise = noise(2, 3, 32);
    Request request = Request.of(classes).withRouter(router).withLatents(noise);
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
        Pipeline pipeline = Pipeline.open(repository, "shapes")) {
      Latents expected = pipeline.generate(request).latents();
      double scale = pipeline.guidanceScale(request.style());
      WholeCall.Answer answer =
          new WholeCall(runtime, "shapes." + router).labels(noise, classes, scale, scale);
      assertSame(answer.latents(), expected, TRAINED);
      WholeCall.assertPictures(answer.images(), pipeline.decode(expected));
      // the same rule on the same numbers, to the last bit
      WholeCall.assertSamePictures(answer.images(), pipeline.decode(answer.latents()));
    }
  }

  @Test
  void texts_withEncoderAndDecoder_areTheLoops(@TempDir Path folder) throws Exception {
    Path pipelineFolder = PipelineFolder.in(folder.resolve("pixart")).path();
    Path models = folder.resolve("models");
    Invocation exported =
        Invocation.export(
            "--checkpoint",
            pipelineFolder.toString(),
            "--text-tokens",
            "12",
            "--picture",
            "none",
            "--model-repository",
            models.toString());
    assertThat(exported.err()).isEmpty();
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(models);
        Pipeline pipeline = Pipeline.open(models, "pixart")) {
      int size = pipeline.manifest().height();
      Latents noise = noise(2, pipeline.manifest().channels(), size);
      List<String> texts = List.of("a red lantern", "An old bridge.");
      Content.Texts content = pipeline.prompts(texts, "x", warning -> {});
      for (double guidance : new double[] {4.5, 1}) {
        Request request =
            Request.of(List.of(0))
                .withContent(content)
                .withGuidance(guidance)
                .withLatents(noise);
        Latents expected = pipeline.generate(request).latents();
        WholeCall.Answer answer =
            new WholeCall(runtime, "pixart.none").texts(noise, texts, "x", guidance);
        assertSame(answer.latents(), expected, RANDOM_TEXTS);
        WholeCall.assertSamePictures(answer.images(), pipeline.decode(answer.latents()));
      }
    }
  }

  @Test
  void whatWouldGiveAWrongPicture_isRefused() {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository)) {
      WholeCall call = new WholeCall(runtime, "dit.last");
      Latents noise = noise(2, 4, 8);
      assertThatThrownBy(() -> call.labels(noise, List.of(1, 1000), 4, 4))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("class_label must be 0..");
      assertThatThrownBy(() -> call.labels(noise, List.of(-1, 1), 1, 1))
          .hasMessageContaining("class_label must be 0..");
      assertThatThrownBy(() -> call.labels(noise, List.of(1, 1), 4, Double.NaN))
          .hasMessageContaining("guidance must be a number from 0");
      assertThatThrownBy(() -> call.labels(noise, List.of(1, 1), -1, 4))
          .hasMessageContaining("guidance must be a number from 0");
      float[] broken = noise.values().clone();
      broken[300] = Float.NaN;
      assertThatThrownBy(
              () -> call.labels(new Latents(broken, 2, 4, 8, 8), List.of(1, 1), 4, 4))
          .hasMessageContaining("noise holds NaN or infinity");
      float[] large = noise.values().clone();
      Arrays.fill(large, 1e38f);
      assertThatThrownBy(() -> call.labels(new Latents(large, 2, 4, 8, 8), List.of(1, 1), 4, 4))
          .hasMessageContaining("the picture is NaN or infinite");
    }
  }

  @Test
  void routerThatIsNotExported_andSamplersWithNoise_areRefused(@TempDir Path folder) {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Exporter exporter = new Exporter(model, List.of(), ExportOptions.of("dit"));
      assertThatThrownBy(() -> exporter.withPictures(List.of("other")))
          .hasMessage(
              "no router 'other' to make a picture with, there is none: name one of these, or add it with `router`");
      Router noisy =
          Exports.forSampler(
              Exports.staggered("noisy", model, STEPS, 3, Reuse.LAST),
              "iddpm",
              Spacing.OPENAI.timesteps(STEPS, 1000));
      Exporter other =
          new Exporter(model, List.of(noisy), ExportOptions.of("dit"))
              .withPictures(List.of("noisy"));
      assertThatThrownBy(() -> other.export(folder.resolve("models")))
          .hasMessageContaining("router noisy of model dit cannot be a picture in one request");
      assertThat(folder.resolve("models")).doesNotExist();
    }
  }
}
