package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Role;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.router.Uncached;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import io.harmonica.sampler.Stepper;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The loop over exported engines of the small golden DiT; {@link TrajectoryTest} has its values.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PipelineTest {
  private static final int STEPS = 5;
  private static final List<Integer> TIMESTEPS = List.of(800, 600, 400, 200, 0);
  private static final List<Integer> SOLVER_TIMESTEPS = List.of(999, 799, 599, 400, 200);

  private Path repository; // batches of 4: two guided pictures at a time
  private CountingRuntime runtime;
  private Pipeline pipeline;

  @BeforeAll
  void open(@TempDir Path folder) {
    repository = export(Checkpoints.DIT, 4, folder.resolve("repository"));
    runtime = new CountingRuntime(EmbeddedRuntime.open(repository));
    pipeline = Pipeline.over(runtime, "dit");
  }

  @AfterAll
  void close() {
    pipeline.close();
    assertThat(runtime.closed()).isTrue();
  }

  private static Path export(Path checkpoint, int maxBatch, Path to) {
    List<Router> routers;
    Router later;
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      routers =
          List.of(
              router("all", new Uncached(), source),
              router("fora-2", new Fora(2), source),
              router("solver", new Fora(2), source, "dpm-solver++", SOLVER_TIMESTEPS),
              router("taylor-2", new Taylor(2, 1), source));
      later = router("later", new Fora(2), source, "later", TIMESTEPS);
    }
    ExportOptions options =
        new ExportOptions(
            "dit", Precision.FP32, ExportOptions.Platform.ONNXRUNTIME, 1, maxBatch, false);
    Exports.export(checkpoint, OptionalInt.empty(), routers, options, to);
    Exports.addRouter(to.resolve("dit"), later);
    return to;
  }

  private static Router router(String name, Policy policy, Checkpoint checkpoint) {
    return router(name, policy, checkpoint, "ddim", TIMESTEPS);
  }

  private static Router router(
      String name, Policy policy, Checkpoint checkpoint, String sampler, List<Integer> timesteps) {
    Model model = Exports.model(checkpoint);
    return policy.router(
        name,
        model.denoiser().architecture(),
        sampler,
        Timesteps.of(timesteps),
        model.denoiser().branchNames());
  }

  private static Request request(Integer... classes) {
    return Request.of(List.of(classes)).withSteps(STEPS);
  }

  private float[] values(Request request) {
    return pipeline.generate(request).latents().values();
  }

  // ---- what comes out ----

  @Test
  void routerThatComputesEverything_isUncachedBitForBit() {
    Request request = request(1, 2, 3).withSeed(5);
    assertThat(values(request.withRouter("all"))).containsExactly(values(request));
  }

  @Test
  void router_bringsItsSteps() {
    Request request = Request.of(List.of(4)).withRouter("fora-2");
    assertThat(values(request)).containsExactly(values(request.withSteps(STEPS)));
    assertThat(values(request)).isNotEqualTo(values(request.withRouter("taylor-2")));
  }

  @Test
  void picture_isTheSameInAnyBatch() {
    Integer[] classes = {0, 9, 4, 4, 7}; // two, two, one at a time
    for (String router : List.of("none", "taylor-2")) {
      float[] together = values(request(classes).withRouter(router).withSeed(11));
      int size = together.length / classes.length;
      for (int i = 0; i < classes.length; i++) {
        float[] alone = values(request(classes[i]).withRouter(router).withSeed(11 + i));
        float[] row = Arrays.copyOfRange(together, i * size, (i + 1) * size);
        // Matrix products of another size may sum in another order.
        assertClose(router + " " + i, alone, row, trajectoryTolerance(row) / 2);
      }
    }
  }

  @Test
  void picture_isTheSameInAnyBatch_withFreshNoise() {
    Integer[] classes = {0, 9, 4}; // two, then one at a time
    List<Request> noisy =
        List.of(
            request(classes).withEta(1),
            request(classes).withSampler("iddpm"),
            request(classes).withSampler("sa-solver"));
    for (Request request : noisy) {
      float[] together = values(request.withSeed(11));
      float[] other = values(request.withSeed(11).withLatents(noise(3, 12)));
      assertThat(values(request.withSeed(11))).containsExactly(together);
      for (int i = 0; i < classes.length; i++) {
        Request one = request.withContent(Content.of(List.of(classes[i]))).withSeed(11 + i);
        float[] alone = values(one);
        float[] row = Arrays.copyOfRange(together, i * 256, (i + 1) * 256);
        assertClose(request.style().sampler() + " " + i, alone, row, trajectoryTolerance(row) / 2);
        assertThat(Arrays.copyOfRange(other, i * 256, (i + 1) * 256)).isNotEqualTo(row);
      }
    }
  }

  @Test
  void iddpm_stepsWithTheConditionalVariance() {
    Sampler sampler = Sampler.of("iddpm", STEPS, Spacing.LEADING, Diffusion.DDPM);
    Stepper stepper = sampler.start();
    float[] x = noise(2, 3).values().clone();
    pipeline.generate(
        request(2, 7).withSampler("iddpm").withGuidance(3).withGuidanceChannels(2).withSeed(3),
        step -> {
          float[] output = new float[4 * 512]; // pictures and their unguided halves, 8 channels
          step.prediction().get(0, output);
          float[] epsilon = new float[512];
          float[] variance = new float[512];
          for (int i = 0; i < 512; i++) {
            int at = i / 256 * 512 + i % 256;
            boolean guided = i % 256 < 2 * 64;
            float unconditional = output[at + 1024];
            epsilon[i] =
                guided ? (float) (unconditional + 3.0 * (output[at] - unconditional)) : output[at];
            variance[i] = output[at + 256];
          }
          float[] noise =
              sampler.needsNoise(step.step()) ? new Noise(3).ofStep(step.step(), 0, 2, 256) : null;
          stepper.step(step.step(), x, new Prediction(epsilon, variance), noise);
          assertThat(step.latentsCopy()).containsExactly(x);
          return true;
        });
  }

  @Test
  void router_bringsItsSampler() {
    Request request = Request.of(List.of(4)).withRouter("solver");
    assertThat(values(request)).containsExactly(values(request.withSampler("dpm-solver++")));
    List<Double> timesteps = new ArrayList<>();
    pipeline.generate(request, step -> timesteps.add(step.timestep()));
    assertThat(new Timesteps(timesteps)).isEqualTo(Timesteps.of(SOLVER_TIMESTEPS));
  }

  @Test
  void noise_isGaussianBySeed_orAsGiven() {
    Request seeded = request(3, 6).withSeed(21);
    Latents noise = noise(2, 21);
    assertThat(values(seeded.withSeed(0).withLatents(noise))).containsExactly(values(seeded));
    assertThat(noise.values()).containsExactly(noise(2, 21).values()); // not written to
    assertThat(values(seeded.withSeed(22))).isNotEqualTo(values(seeded));
  }

  private static Latents noise(int count, long seed) {
    float[] values = new Noise(seed).start(count, 4 * 8 * 8);
    return new Latents(values, count, 4, 8, 8);
  }

  @Test
  void generate_fromSeveralThreads_keepsThemApart() throws Exception {
    try (Pipeline shared = Pipeline.open(repository, "dit")) {
      var threads = Executors.newFixedThreadPool(3);
      var results =
          threads.invokeAll(
              IntStream.range(0, 6)
                  .mapToObj(
                      i ->
                          (java.util.concurrent.Callable<float[]>)
                              () ->
                                  shared
                                      .generate(request(i).withRouter("taylor-2").withSeed(i))
                                      .latents()
                                      .values())
                  .toList());
      threads.shutdown();
      for (int i = 0; i < 6; i++) {
        float[] alone = values(request(i).withRouter("taylor-2").withSeed(i));
        assertClose("thread " + i, results.get(i).get(), alone, trajectoryTolerance(alone) / 2);
      }
    }
  }

  @Test
  void result_tellsItsTimes() {
    Result result = pipeline.generate(request(1));
    assertThat(result.runtimeNanos()).isPositive().isLessThan(result.elapsedNanos());
    assertThat(result.latents().count()).isEqualTo(1);
    assertThat(result.latents().channels()).isEqualTo(4);
  }

  // ---- progress and handles ----

  @Test
  void listener_seesEveryStepOfEveryBatch() {
    List<String> seen = new ArrayList<>();
    List<float[]> last = new ArrayList<>();
    float[] result =
        pipeline
            .generate(
                request(0, 1, 2),
                step -> {
                  seen.add(
                      "%d: %d/%d t=%d"
                          .formatted(
                              step.firstPicture(),
                              step.step(),
                              step.steps(),
                              (int) step.timestep()));
                  int pictures = step.latents().remaining() / 256;
                  assertThat(step.prediction().remaining()).isEqualTo(2 * pictures * 8 * 8 * 8);
                  if (step.step() == STEPS - 1) {
                    last.add(step.latentsCopy());
                  }
                  return true;
                })
            .latents()
            .values();
    assertThat(seen)
        .containsExactly(
            "0: 0/5 t=800",
            "0: 1/5 t=600",
            "0: 2/5 t=400",
            "0: 3/5 t=200",
            "0: 4/5 t=0",
            "2: 0/5 t=800",
            "2: 1/5 t=600",
            "2: 2/5 t=400",
            "2: 3/5 t=200",
            "2: 4/5 t=0");
    assertThat(Arrays.copyOf(result, 512)).containsExactly(last.get(0));
    assertThat(Arrays.copyOfRange(result, 512, 768)).containsExactly(last.get(1));
  }

  @Test
  void listener_cannotChangeWhatTheLoopGoesOnWith() {
    Request request = request(4, 7).withRouter("taylor-2").withSeed(3);
    float[] expected = values(request);
    float[] seen =
        pipeline
            .generate(
                request,
                step -> {
                  for (FloatBuffer buffer : List.of(step.latents(), step.prediction())) {
                    assertThatThrownBy(() -> buffer.put(0, 1e9f))
                        .isInstanceOf(ReadOnlyBufferException.class);
                    assertThat(buffer.hasArray()).isFalse();
                  }
                  Arrays.fill(step.latentsCopy(), 1e9f);
                  step.latents().get(new float[100]); // its position is the listener's own
                  return true;
                })
            .latents()
            .values();
    assertThat(seen).containsExactly(expected);
  }

  @Test
  void handles_areClosedAfterTheirLastReader() {
    values(request(1).withRouter("fora-2"));
    assertThat(runtime.open()).isZero();
    // Sample, timestep and label; where all six branches are reused, their outputs too.
    assertThat(lastCalls(STEPS)).containsExactly(3, 3 + 6, 3, 3 + 6, 3);
    values(request(1).withRouter("taylor-2"));
    assertThat(runtime.open()).isZero();
    // Steps 1 and 3 read one and two outputs of each; the weights come with two.
    assertThat(lastCalls(STEPS)).containsExactly(3, 3 + 6, 3 + 6, 4 + 12, 3);
    values(request(1));
    assertThat(lastCalls(STEPS)).containsOnly(3);
  }

  /** A fleet would ask its first server, which may be away. */
  @Test
  void generate_asksForNoConfiguration_onceThePipelineIsOpen() {
    int before = runtime.configs();
    pipeline.generate(request(2));
    pipeline.generate(request(1).withRouter("fora-2"));
    assertThat(runtime.configs()).isEqualTo(before);
  }

  private List<Integer> lastCalls(int count) {
    List<Integer> all = runtime.openAtCall();
    return all.subList(all.size() - count, all.size());
  }

  @Test
  void cancellation_stopsAfterTheStep_andClosesEveryHandle() {
    int before = runtime.models().size();
    assertThatThrownBy(
            () -> pipeline.generate(request(1).withRouter("taylor-2"), s -> s.step() < 2))
        .isInstanceOf(CancellationException.class)
        .hasMessage("cancelled after step 3 of 5");
    assertThat(runtime.models().subList(before, runtime.models().size())).hasSize(3);
    assertThat(runtime.open()).isZero();
  }

  @Test
  void listenerThatThrows_leavesNoHandle() {
    assertThatThrownBy(
            () ->
                pipeline.generate(
                    request(1).withRouter("taylor-2"),
                    step -> {
                      throw new IllegalStateException("mine");
                    }))
        .hasMessage("mine");
    assertThat(runtime.open()).isZero();
  }

  @Test
  void engineThatIsMissing_isNamed(@TempDir Path folder) throws IOException {
    Path broken = export(Checkpoints.DIT, 4, folder.resolve("broken"));
    Files.delete(broken.resolve("dit-block01-11/config.pbtxt"));
    try (Pipeline failing = Pipeline.open(broken, "dit")) {
      assertThatThrownBy(() -> failing.generate(request(1).withRouter("fora-2")))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "model repository %s lacks engine 'dit-block01-11', which model 'dit-fora-2-route01-conditioned' runs: export the model again with `force`"
                  .formatted(broken));
    }
  }

  @Test
  void roles_areThoseOfWhatARequestRuns(@TempDir Path folder) throws IOException {
    Path repository = export(Checkpoints.DIT, 4, folder.resolve("roles"));
    try (Pipeline pipeline = Pipeline.open(repository, "dit")) {
      assertThat(pipeline.roles(request(1).withSteps(4).style()))
          .hasSize(8)
          .containsEntry("dit", Role.call("none"))
          .containsEntry("dit-conditioned", Role.call("none"))
          .containsEntry("dit-embed", Role.of(Role.Kind.EMBED))
          .containsEntry("dit-block02-cc", Role.block("02", "cc"));
      assertThat(pipeline.roles(request(1).withRouter("fora-2").style()))
          .containsEntry("dit-fora-2-route01", Role.call("fora-2"))
          .containsEntry("dit-block02-11", Role.block("02", "11"))
          .doesNotContainKey("dit");
    }
  }

  @Test
  void engineThatFailsMidway_leavesNoHandle(@TempDir Path folder) throws IOException {
    Path broken = export(Checkpoints.DIT, 4, folder.resolve("broken"));
    Files.write(broken.resolve("dit-block01-11/1/model.onnx"), new byte[100]);
    CountingRuntime counting = new CountingRuntime(EmbeddedRuntime.open(broken));
    try (Pipeline failing = Pipeline.over(counting, "dit")) {
      assertThatThrownBy(() -> failing.generate(request(1).withRouter("fora-2")))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("dit-block01-11/1/model.onnx");
      assertThat(counting.models()).hasSize(2);
      assertThat(counting.open()).isZero();
      failing.generate(request(1)); // what does not need it still runs
    }
  }

  @Test
  void infinityInTheWeights_isNoPicture(@TempDir Path folder) {
    assertRefusedPrecision(
        changed(folder, "proj_out_2.bias", Float.POSITIVE_INFINITY),
        Precision.FP32,
        folder,
        "(precision fp32): its checkpoint holds NaN or numbers too large; try another");
  }

  @Test
  void overflowInFp16_isNoPicture(@TempDir Path folder) {
    assertRefusedPrecision(
        changed(folder, "transformer_blocks.1.attn1.to_out.0.bias", 65000),
        Precision.FP16,
        folder,
        "(precision fp16): its numbers overflow; export it with `precision` fp32");
  }

  private static Path changed(Path folder, String name, float value) {
    Map<String, Floats> weights = new LinkedHashMap<>(Checkpoints.tensors(Checkpoints.DIT));
    float[] values = new float[weights.get(name).data().length];
    Arrays.fill(values, value);
    weights.put(name, new Floats(weights.get(name).shape(), values));
    return Checkpoints.diffusers(
        folder.resolve("checkpoint"), Checkpoints.config(Checkpoints.DIT), weights);
  }

  private static void assertRefusedPrecision(
      Path checkpoint, Precision precision, Path folder, String message) {
    Path to = folder.resolve("repository");
    ExportOptions options = ExportOptions.of("dit").withPrecision(precision);
    Exports.export(checkpoint, OptionalInt.empty(), List.of(), options, to);
    CountingRuntime counting = new CountingRuntime(EmbeddedRuntime.open(to));
    try (Pipeline failing = Pipeline.over(counting, "dit")) {
      assertThatThrownBy(() -> failing.generate(request(1)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("model dit leads to ")
          .hasMessageEndingWith(" at step 0 " + message);
      assertThat(counting.open()).isZero();
    }
  }

  // ---- what is refused ----

  @Test
  void unknownClass_isRefused() {
    assertRefused(request(3, 10), "unknown class 10: model dit has classes 0..9");
    assertRefused(request(-1), "unknown class -1: model dit has classes 0..9");
  }

  @Test
  void latentsOfAnotherShape_areRefused() {
    assertRefused(
        request(1).withLatents(new Latents(new float[3 * 8 * 8], 1, 3, 8, 8)),
        "latents are [3, 8, 8] a row, model dit takes [4, 8, 8]");
    assertRefused(
        request(1).withLatents(new Latents(new float[4 * 4 * 16], 1, 4, 4, 16)),
        "latents are [4, 4, 16] a row, model dit takes [4, 8, 8]");
  }

  @Test
  void routerThatDoesNotFit_isRefused() {
    assertRefused(
        request(1).withRouter("fora-3"),
        "model dit has no router 'fora-3', it has all, fora-2, solver, taylor-2, later: name one of these, or export it with `router`");
    assertRefused(
        request(1).withRouter("fora-2").withSteps(10),
        "router fora-2 is for 5 steps, not 10: use `steps` 5, or another router");
    assertRefused(
        request(1).withRouter("fora-2").withSampler("dpm-solver++"),
        "router fora-2 was made for sampler ddim, not dpm-solver++: use `sampler` ddim, or another router");
    assertRefused(
        request(1).withRouter("solver").withSampler("sa-solver"),
        "router solver was made for sampler dpm-solver++, not sa-solver: use `sampler` dpm-solver++, or another router");
    assertRefused(
        request(1).withRouter("later"),
        "router later was made for sampler later, which is none of ddim, dpm-solver++, dpm-solver-2, dpm-solver-fast, flow-euler, iddpm, sa-solver: use another router");
    assertRefused(
        request(1).withRouter("fora-2").withSpacing(Spacing.OPENAI),
        "router fora-2 is for timesteps [800, 600, 400, 200, 0], and openai spacing gives [999, 749, 500, 250, 0]: use the `spacing` it was made with");
  }

  @Test
  void unknownSamplerOrSteps_areRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> pipeline.generate(request(1).withSampler("euler")))
        .withMessage(
            "`sampler` 'euler' is unknown; use ddim, dpm-solver++, dpm-solver-2, dpm-solver-fast, flow-euler, iddpm, sa-solver");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> pipeline.generate(request(1).withSteps(1001)))
        .withMessage("`steps` 1001 is out of range 1..1000");
  }

  @Test
  void guidanceChannels_areBounded() {
    String range = "`guidanceChannels` %d is out of range: model dit has 4 channels";
    assertRefused(request(1).withGuidanceChannels(5), range.formatted(5));
    assertRefused(request(1).withGuidanceChannels(0), range.formatted(0));
    assertThat(values(request(1).withGuidanceChannels(3)))
        .isNotEqualTo(values(request(1).withGuidanceChannels(4)));
    assertThat(values(request(1).withGuidanceChannels(4))).containsExactly(values(request(1)));
  }

  private void assertRefused(Request request, String message) {
    int before = runtime.models().size();
    assertThatThrownBy(() -> pipeline.generate(request))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(message);
    assertThat(runtime.models()).hasSize(before); // before anything ran
    assertThat(runtime.open()).isZero();
  }

  @Test
  void batchOfOne_cannotGuide(@TempDir Path folder) {
    Path single = export(Checkpoints.DIT, 1, folder.resolve("single"));
    try (Pipeline small = Pipeline.open(single, "dit")) {
      assertThatThrownBy(() -> small.generate(request(1)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "model dit takes batches of 1, and guidance 1.5 needs 2: export it with `maxBatch` 2 or more, or use `guidance` 1");
      float[] alone = small.generate(request(1, 2).withGuidance(1)).latents().values();
      float[] pair = values(request(1, 2).withGuidance(1));
      assertClose("unguided", alone, pair, trajectoryTolerance(pair) / 2);
    }
  }

  @Test
  void over_aModelThatIsNone_closesTheRuntime() {
    for (String model : List.of("dit-head", "nothing")) {
      CountingRuntime counting = new CountingRuntime(EmbeddedRuntime.open(repository));
      assertThatThrownBy(() -> Pipeline.over(counting, model))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(model);
      assertThat(counting.closed()).isTrue();
    }
  }
}
