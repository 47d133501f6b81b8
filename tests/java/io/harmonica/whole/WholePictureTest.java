package io.harmonica.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.cli.PipelineFolder;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Prompt;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.generate.StepListener;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.ManifestText;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

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
      routers.add(withRuns(model));
      routers.add(
          Exports.forSampler(
              Exports.staggered("solved", model, STEPS, 3, Reuse.LINEAR),
              "dpm-solver++",
              Spacing.LINSPACE.solverTimesteps(STEPS, 1000)));
      new Exporter(model, routers, ExportOptions.of("dit"))
          .withWholePictures(List.of("none", "last", "linear", "runs", "solved"))
          .export(repository);
    }
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES)) {
      List<Router> routers = new ArrayList<>();
      for (String name : List.of("fora-2", "taylor-2", "trained-20-2.0x")) {
        routers.add(Router.read(Checkpoints.SHAPES.resolve("routers/" + name + ".json")));
      }
      new Exporter(Exports.model(checkpoint), routers, ExportOptions.of("shapes"))
          .withWholePictures(List.of("none", "fora-2", "taylor-2", "trained-20-2.0x"))
          .export(repository);
    }
  }

  /** Every second step reuses all blocks as one tensor, forecast from two. */
  private static Router withRuns(Model model) {
    int branches = model.denoiser().branches().size();
    boolean[][] computes = new boolean[STEPS][branches];
    for (int s = 0; s < STEPS; s += 2) {
      Arrays.fill(computes[s], true);
    }
    List<Integer> timesteps = Spacing.LEADING.timesteps(STEPS, 1000);
    List<Run> runs = List.of(new Run(0, branches - 1));
    return Exports.router("runs", model, timesteps, computes, runs, Reuse.LINEAR);
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
    assertThat(largest).isLessThanOrEqualTo(tolerance);
  }

  @ParameterizedTest
  @CsvSource({
    "none, 4",
    "last, 4",
    "linear, 4",
    "runs, 4",
    "solved, 4",
    "none, 1",
    "last, 1",
    "linear, 0",
    "solved, 1"
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
        assertSame(together.rows(i, i + 1), pipeline.generate(alone).latents(), RANDOM_WEIGHTS);
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

  /** Each picture has its own seed, which need not count up. */
  @Test
  void picturesOfSeeds_areTheLoops() {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
        Pipeline pipeline = Pipeline.open(repository, "shapes")) {
      WholeCall call = new WholeCall(runtime, "shapes.taylor-2.seed");
      WholeCall.Answer answer = call.seeds(List.of(7L, -9L), List.of(3, 7), 1.5, 1.5);
      Request request = Request.of(List.of(3)).withRouter("taylor-2").withGuidance(1.5);
      Latents first = pipeline.generate(request.withSeed(7)).latents();
      Latents second =
          pipeline.generate(request.withContent(Content.of(List.of(7))).withSeed(-9)).latents();
      assertSame(answer.latents().rows(0, 1), first, TRAINED);
      assertSame(answer.latents().rows(1, 2), second, TRAINED);
      WholeCall.assertSamePictures(answer.images(), pipeline.decode(answer.latents()));
    }
  }

  /** In more requests than one, as two pictures with guidance fill a batch. */
  @Test
  void pipelineOfWholePictures_drawsAsTheLoop() {
    List<Integer> classes = IntStream.range(0, 9).map(i -> i % 3).boxed().toList();
    Request request = Request.of(classes).withRouter("linear").withGuidance(4).withSeed(3);
    List<StepListener.Step> told = new ArrayList<>();
    try (Pipeline whole = Pipeline.builder("dit").repository(repository).whole().open();
        Pipeline pipeline = Pipeline.open(repository, "dit")) {
      Result drawn = whole.generate(request, told::add);
      assertSame(drawn.latents(), pipeline.generate(request).latents(), RANDOM_WEIGHTS);
      assertThat(told).extracting(StepListener.Step::step).containsExactly(STEPS - 1, STEPS - 1);
      assertThat(told).extracting(StepListener.Step::firstPicture).containsExactly(0, 8);
      assertThat(whole.roles(request.style()))
          .containsKeys("dit.linear", "dit-linear-begin", "dit-block00-22")
          .doesNotContainKey("dit-linear-route00");
      Request other = Request.of(classes).withSteps(10);
      assertThatThrownBy(() -> whole.generate(other))
          .hasMessage(
              "dit.none draws in one request by sampler ddim, 20 steps and its own spacing, guidance on 4 channels, and nothing else: leave other values out, or `whole`");
      assertThatThrownBy(() -> whole.generate(Request.of(classes).withGuidanceChannels(3)))
          .hasMessageContaining("dit.none draws in one request by");
      assertThatThrownBy(() -> whole.generate(Request.of(classes).withEta(0.5)))
          .hasMessageContaining("dit.none draws in one request by");
    }
  }

  static List<UVitVectors> uVits() {
    return UVitVectors.all();
  }

  /** A solver whose updates take several evaluations, at any time, of labels, texts and nothing. */
  @Tag("golden")
  @ParameterizedTest
  @MethodSource("uVits")
  void picturesOfUVit_areTheLoops(UVitVectors vectors, @TempDir Path folder) {
    try (Checkpoint source = Checkpoint.open(vectors.checkpoint())) {
      Model model = Model.of(source, vectors.choices());
      new Exporter(model, List.of(), ExportOptions.of("uvit"))
          .withWholePictures(List.of("none"))
          .export(folder);
    }
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder);
        Pipeline pipeline = Pipeline.open(folder, "uvit")) {
      Manifest manifest = pipeline.manifest();
      Latents noise = noise(2, manifest.channels(), manifest.height());
      WholeCall call = new WholeCall(runtime, "uvit.none");
      Optional<Content.Texts> texts =
          manifest.text() == null ? Optional.empty() : Optional.of(texts(manifest.text()));
      List<Integer> classes = List.of(0, 1);
      double guidance = manifest.unconditional().guides() ? 1.4 : 1;
      Content content =
          manifest.classes() > 0
              ? Content.of(classes)
              : texts.map(some -> (Content) some).orElse(Content.anything(2));
      Latents expected =
          pipeline
              .generate(Request.of(content).withGuidance(guidance).withLatents(noise))
              .latents();
      WholeCall.Answer answer =
          manifest.classes() > 0
              ? call.labels(noise, classes, guidance, guidance)
              : call.embedded(noise, texts, guidance);
      assertSame(answer.latents(), expected, RANDOM_TEXTS);
    }
  }

  /** Of a flow: of dev the model is told the scale, and takes a row for each picture. */
  @Tag("golden")
  @ParameterizedTest
  @CsvSource({"flux/dev, 2", "flux/schnell, 1", "sd3/sd3, 4", "sd3/sd35-medium, 1"})
  void picturesOfFlows_areTheLoops(String flavour, double guidance, @TempDir Path folder) {
    try (Checkpoint source = Golden.open(flavour)) {
      Choices choices =
          Choices.NONE
              .withPixelsPerElement(2)
              .withResolution(new Resolution(16, 16))
              .withTextTokens(9);
      new Exporter(Model.of(source, choices), List.of(), ExportOptions.of("flow"))
          .withWholePictures(List.of("none"))
          .export(folder);
    }
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder);
        Pipeline pipeline = Pipeline.open(folder, "flow")) {
      Manifest manifest = pipeline.manifest();
      Latents noise = noise(2, manifest.channels(), manifest.height());
      Content.Texts texts = texts(manifest.text());
      Request request = Request.of(texts).withGuidance(guidance).withLatents(noise);
      WholeCall call = new WholeCall(runtime, "flow.none");
      assertSame(
          call.embedded(noise, Optional.of(texts), guidance).latents(),
          pipeline.generate(request).latents(),
          RANDOM_TEXTS);
      try (Pipeline whole = Pipeline.builder("flow").repository(folder).whole().open()) {
        assertSame(
            whole.generate(request).latents(), pipeline.generate(request).latents(), RANDOM_TEXTS);
      }
    }
  }

  /** Sizes of the picture, of which no client need know, are told too. */
  @Test
  void embeddedTexts_areTheLoops_atAnySize(@TempDir Path folder) {
    try (Checkpoint source = Checkpoint.open(Path.of("tests/golden/pixart/alpha-1024-like"))) {
      Choices choices = Choices.NONE.withPixelsPerElement(2).withTextTokens(9);
      Model model = Model.of(source, choices.withResolution(new Resolution(24, 16)));
      Router solved =
          Exports.forSampler(
              Exports.staggered("solved", model, STEPS, 3, Reuse.LINEAR),
              "dpm-solver++",
              Spacing.LINSPACE.solverTimesteps(STEPS, 1000));
      new Exporter(model, List.of(solved), ExportOptions.of("pixart"))
          .withWholePictures(List.of("solved"))
          .export(folder);
    }
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder);
        Pipeline pipeline = Pipeline.open(folder, "pixart")) {
      Manifest manifest = pipeline.manifest();
      Latents square = noise(2, manifest.channels(), manifest.height());
      int height = manifest.height();
      int width = manifest.width();
      float[] values = Arrays.copyOf(square.values(), 2 * manifest.channels() * height * width);
      Latents noise = new Latents(values, 2, manifest.channels(), height, width);
      Content.Texts texts = texts(manifest.text());
      for (double guidance : new double[] {4.5, 1}) {
        Latents expected =
            pipeline
                .generate(
                    Request.of(texts)
                        .withRouter("solved")
                        .withGuidance(guidance)
                        .withLatents(noise))
                .latents();
        WholeCall call = new WholeCall(runtime, "pixart.solved");
        assertSame(
            call.embedded(noise, Optional.of(texts), guidance).latents(), expected, RANDOM_TEXTS);
      }
    }
  }

  private static Content.Texts texts(ManifestText takes) {
    return new Content.Texts(embedded(takes, 2), Optional.of(embedded(takes, 1)));
  }

  private static Embeddings embedded(ManifestText takes, int count) {
    Random random = new Random(count);
    float[] values = new float[count * takes.tokens() * takes.width()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    long[] mask = new long[count * takes.tokens()];
    Arrays.fill(mask, 1);
    int elements = takes.pooled() == null ? 0 : takes.pooled();
    float[] pooled = Arrays.copyOf(values, count * elements);
    return new Embeddings(values, mask, count, takes.tokens(), takes.width(), pooled);
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
            Request.of(List.of(0)).withContent(content).withGuidance(guidance).withLatents(noise);
        Latents expected = pipeline.generate(request).latents();
        WholeCall.Answer answer =
            new WholeCall(runtime, "pixart.none").texts(noise, texts, "x", guidance);
        assertSame(answer.latents(), expected, RANDOM_TEXTS);
        WholeCall.assertSamePictures(answer.images(), pipeline.decode(answer.latents()));
      }
      try (Pipeline whole = Pipeline.builder("pixart").repository(models).whole().open()) {
        List<Prompt> prompts = texts.stream().map(Prompt::of).toList();
        Content tokens = whole.texts(prompts, Prompt.of("x"), warning -> {});
        assertSame(
            whole.generate(Request.of(tokens).withLatents(noise)).latents(),
            pipeline.generate(Request.of(content).withLatents(noise)).latents(),
            RANDOM_TEXTS);
        assertThatThrownBy(() -> whole.generate(Request.of(content)))
            .hasMessage(
                "model pixart takes texts as tokens with `whole`, not embedded: use `prompt`");
        assertThatThrownBy(() -> pipeline.generate(Request.of(tokens)))
            .hasMessage("model pixart takes texts, not tokens: use `prompt`");
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
      assertThatThrownBy(() -> call.labels(new Latents(broken, 2, 4, 8, 8), List.of(1, 1), 4, 4))
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
      assertThatThrownBy(() -> exporter.withWholePictures(List.of("other")))
          .hasMessage(
              "no router 'other' to make a picture with, there is none: name one of these, or add it with `router`");
      Router noisy =
          Exports.forSampler(
              Exports.staggered("noisy", model, STEPS, 3, Reuse.LAST),
              "iddpm",
              Spacing.OPENAI.timesteps(STEPS, 1000));
      Exporter other =
          new Exporter(model, List.of(noisy), ExportOptions.of("dit"))
              .withWholePictures(List.of("noisy"));
      assertThatThrownBy(() -> other.export(folder.resolve("models")))
          .hasMessageContaining("router noisy of model dit cannot be a picture in one request");
      assertThat(folder.resolve("models")).doesNotExist();
      Router seeded = Exports.staggered("last.seed", model, STEPS, 3, Reuse.LAST);
      assertThatThrownBy(
              () ->
                  new Exporter(model, List.of(seeded), ExportOptions.of("dit"))
                      .withWholePictures(List.of("last.seed"))
                      .export(folder.resolve("models")))
          .hasMessageContaining("router last.seed has the name of another's pictures from a seed");
    }
  }
}
