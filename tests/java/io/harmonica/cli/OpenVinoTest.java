package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.PipelineBuilder;
import io.harmonica.generate.Request;
import io.harmonica.picture.Latents;
import io.harmonica.runtime.Device;
import io.harmonica.runtime.Plugins;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A plugin takes every engine that the CPU takes, and in fp32 draws the same. */
@Tag("openvino")
@TestInstance(Lifecycle.PER_CLASS)
class OpenVinoTest {
  /** Sums in another order, 8 steps deep. */
  private static final double TOLERANCE = 5e-4;

  private static final List<String> TEXTS = List.of("a red lantern", "an old bridge");

  private Path folder;
  private Device device;

  @BeforeAll
  void install(@TempDir Path shared) {
    folder = shared;
    device = Plugins.openVino();
    PipelineFolder.in(folder.resolve("pixart"))
        .withScheduler("'_class_name': 'DPMSolverMultistepScheduler'");
    Invocation policy =
        Invocation.of(
            ("policy taylor --checkpoint %s --sampler ddim --steps 8 --interval 2 --out %s")
                .formatted(folder.resolve("pixart"), folder.resolve("half.json"))
                .split(" "));
    assertThat(policy.err()).isEmpty();
  }

  private Path export(String model, String options) {
    List<String> words =
        new ArrayList<>(List.of("--checkpoint", folder.resolve("pixart").toString()));
    words.addAll(List.of("--text-tokens", "12", "--model-name", model, "--router"));
    words.add(folder.resolve("half.json").toString());
    words.addAll(List.of("--model-repository", folder.resolve("models").toString()));
    if (!options.isEmpty()) {
      words.addAll(List.of(options.split(" ")));
    }
    assertThat(Invocation.export(words.toArray(String[]::new)).err()).isEmpty();
    return folder.resolve("models");
  }

  /** Text encoder, blocks that compute, reuse and forecast, sampler's steps, decoder. */
  @ParameterizedTest
  @CsvSource({
    "blocks, '', 1",
    "graph, --blocks-per-engine all, 1",
    "half, --precision fp16, 1",
    "stretch, --steps-per-request 4, 4"
  })
  void pictures_areThoseOfTheCpu(String model, String options, int stepsPerRequest) {
    PipelineBuilder here = Pipeline.builder(model).repository(export(model, options));
    PipelineBuilder there =
        Pipeline.builder(model).repository(folder.resolve("models")).device(device.toString());
    try (Pipeline cpu = here.stepsPerRequest(stepsPerRequest).open();
        Pipeline openVino = there.stepsPerRequest(stepsPerRequest).open()) {
      assertThat(openVino.description()).contains(" with OpenVINO ");
      for (String router : List.of("half", Request.NO_ROUTER)) {
        Latents expected = latents(cpu, router);
        Latents found = latents(openVino, router);
        // fp16's engines convert at every border, each in its own way
        double tolerance = options.contains("fp16") ? 0.05 : TOLERANCE;
        assertNear(found.values(), expected.values(), tolerance);
        assertNear(openVino.decode(expected).values(), cpu.decode(expected).values(), tolerance);
      }
    }
  }

  private static Latents latents(Pipeline pipeline, String router) {
    Content.Texts texts = pipeline.prompts(TEXTS, "", warning -> {});
    Request request = Request.of(texts).withRouter(router).withSampler("ddim").withSteps(8);
    return pipeline.generate(request).latents();
  }

  private static void assertNear(float[] found, float[] expected, double tolerance) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference = Math.max(difference, Math.abs(found[i] - expected[i]));
      size = Math.max(size, Math.abs(expected[i]));
    }
    assertThat(difference / size).isLessThan(tolerance);
  }

  @Test
  void trajectoriesAtOnce_giveWhatEachGivesAlone() throws Exception {
    Path models = export("many", "");
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (Pipeline pipeline =
        Pipeline.builder("many").repository(models).device(device.toString()).open()) {
      float[] alone = latents(pipeline, "half").values();
      List<Future<Latents>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        all.add(threads.submit(() -> latents(pipeline, "half")));
      }
      for (Future<Latents> one : all) {
        assertNear(one.get().values(), alone, 1e-6);
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void compare_takesItAsAVariant_andGenerateAsAnOption() {
    Path models = export("compared", "");
    List<String> words = new ArrayList<>(List.of("compare", "--model-repository"));
    words.addAll(List.of(models.toString(), "--model", "compared", "--prompt", TEXTS.get(0)));
    words.addAll(List.of("--steps", "2", "--rounds", "1", "--warm-up", "0"));
    words.addAll(List.of("--a", "device=cpu", "--b", "device=" + device.withSemicolons()));
    words.addAll(List.of("--fail-if", "b.psnr < 60"));
    Invocation compare = Invocation.of(words.toArray(String[]::new));
    assertThat(compare.code()).as(compare.err()).isZero();
    assertThat(compare.out())
        .contains("passed: fail if b.psnr < 60")
        .containsPattern(
            "machine: .*ONNX Runtime [0-9.]+[^;]*; ONNX Runtime [0-9.]+ with OpenVINO ");
    List<String> generate = new ArrayList<>(List.of("generate", "--model-repository"));
    generate.addAll(List.of(models.toString(), "--model", "compared", "--prompt", TEXTS.get(0)));
    generate.addAll(List.of("--device", device.toString(), "--steps", "2", "--count", "1"));
    generate.addAll(List.of("--out", folder.resolve("out").toString()));
    Invocation done = Invocation.of(generate.toArray(String[]::new));
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).startsWith("1 picture in ");
    generate.set(generate.indexOf(device.toString()), "cpu");
    assertThat(Invocation.of(generate.toArray(String[]::new)).err())
        .contains("device"); // the series was drawn on another
  }

  /** OpenVINO itself would read beyond its table without a word. */
  @Test
  void class_beyondTheTable_isRefusedBefore() {
    Path models = folder.resolve("classes");
    String line = "--checkpoint %s --model-name dit --model-repository %s";
    String[] words = line.formatted(Checkpoints.DIT, models).split(" ");
    assertThat(Invocation.export(words).err()).isEmpty();
    try (Pipeline pipeline =
        Pipeline.builder("dit").repository(models).device(device.toString()).open()) {
      int classes = pipeline.manifest().classes();
      assertThat(pipeline.generate(Request.of(List.of(classes - 1)).withSteps(1)).latents().count())
          .isEqualTo(1);
      for (int beyond : List.of(classes, -1)) {
        assertThatThrownBy(() -> pipeline.generate(Request.of(List.of(beyond)).withSteps(1)))
            .isInstanceOf(HarmonicaException.class)
            .hasMessageContaining("class");
      }
    }
  }

  @Test
  void device_withoutARepository_isRefused() {
    assertThatThrownBy(
            () -> Pipeline.builder("m").triton("localhost:1").device(device.toString()).open())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("it is for a repository in this process");
    assertThatThrownBy(() -> Pipeline.builder("m").device("openvio"))
        .isInstanceOf(HarmonicaException.class);
  }
}
