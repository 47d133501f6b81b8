package io.harmonica.generate;

import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonRuntime;
import io.harmonica.triton.TritonServer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.regex.MatchResult;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One exported repository, opened in this process and served, as it lies there, by a real Triton.
 *
 * <p>It holds several models: {@code dit} with all routers, {@code pairs} with two blocks an
 * engine, {@code whole} with one engine a route, {@code half} in fp16, {@code pixart} with a
 * decoder.
 */
@Tag("triton")
class TritonPipelineTest {
  /** Relative to {@code max(1, |x|)}; both run the same ONNX Runtime. */
  private static final double TOLERANCE = 1e-5;

  /** What a router computes: a row a step, repeated over the branches. */
  private static final List<String> EVERY_SECOND = List.of("x", ".", "x", ".", "x", ".");

  /** Forecasts from one output, then twice from two, with other weights. */
  private static final List<String> FORECASTS = List.of("x", ".", "x", ".", ".", "x");

  /** Parts of blocks; some outputs are computed again before anything read them. */
  private static final List<String> MIXED =
      List.of("xxxxxx", "x..xxx", "xxx..x", "..xxxx", "xx..xx", "x.xx.x");

  private static final List<String> EVERYTHING = List.of("x", "x", "x", "x", "x", "x");

  @TempDir static Path folder;

  private static Path repository;
  private static TritonServer server;
  private static Checkpoint vectors;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    repository = folder.resolve("repository");
    vectors = Golden.open("dit-pipeline/io.safetensors");
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      Router forecasts = router("linear", model, FORECASTS, Reuse.LINEAR);
      List<Router> all =
          List.of(
              router("fora", model, EVERY_SECOND, Reuse.LAST),
              forecasts,
              router("mixed", model, MIXED, Reuse.LAST),
              withStrangeText(router("full", model, EVERYTHING, Reuse.LAST)));
      export(model, all, ExportOptions.of("dit"));
      export(model, all.subList(0, 1), ExportOptions.of("pairs").withBlocksPerEngine(2));
      export(model, List.of(forecasts), ExportOptions.of("whole").withBlocksPerEngine(0));
      export(
          model,
          List.of(forecasts),
          ExportOptions.of("half").withBlocksPerEngine(2).withPrecision(Precision.FP16));
    }
    try (Checkpoint source = Checkpoint.open(Path.of("tests/golden/pixart/alpha-1024-like"));
        Checkpoint vae = Checkpoint.open(Path.of("tests/golden/vae"))) {
      Choices choices = Choices.NONE.withPixelsPerElement(2).withTextTokens(9);
      Model model = Model.of(source, choices.withResolution(new Resolution(24, 16)));
      Router router = router("linear", model, FORECASTS, Reuse.LINEAR);
      ExportOptions options = ExportOptions.of("pixart").withForce(true);
      new Exporter(model, List.of(router), options)
          .withDecoder(Autoencoder.of(vae))
          .export(repository);
    }
    Files.writeString(repository.resolve("README.md"), "as the project's own repository has one");
    server = TritonServer.start(repository);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
    vectors.close();
  }

  private static void export(Model model, List<Router> routers, ExportOptions options) {
    new Exporter(model, routers, options.withForce(true)).export(repository);
  }

  private static Router router(String name, Model model, List<String> rows, Reuse reuse) {
    boolean[][] computes = new boolean[rows.size()][model.denoiser().branches().size()];
    for (int s = 0; s < computes.length; s++) {
      for (int b = 0; b < computes[s].length; b++) {
        computes[s][b] = rows.get(s).charAt(b % rows.get(s).length()) == 'x';
      }
    }
    List<Integer> timesteps = Spacing.LEADING.timesteps(rows.size(), 1000);
    return Exports.router(name, model, timesteps, computes, reuse);
  }

  /** Text that must survive JSON, {@code config.pbtxt} and Triton. */
  private static Router withStrangeText(Router router) {
    router.training().put("note", "\"quoted\", 'single', \\back\\slash, line\nbreak\ttab, é 漢 😀");
    return router;
  }

  private static String parameter(ModelConfig config) {
    return config.getParametersOrThrow(Manifest.KEY).getStringValue();
  }

  private static Request request(String router) {
    Request request = PipelineGoldenTest.request(vectors).withRouter(router);
    return router.equals(Request.NO_ROUTER) ? request.withSteps(EVERYTHING.size()) : request;
  }

  private static float[] embedded(String model, Request request) {
    try (Pipeline pipeline = Pipeline.open(repository, model)) {
      return pipeline.generate(request).latents().values();
    }
  }

  private static float[] triton(String model, Request request) {
    return triton(model, request, SharedMemory.AUTO);
  }

  private static float[] triton(String model, Request request, SharedMemory shared) {
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(shared);
    try (Pipeline pipeline = Pipeline.connect(server.address(), model, options)) {
      return pipeline.generate(request).latents().values();
    }
  }

  private static void assertSame(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      largest =
          Math.max(largest, Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i])));
    }
    assertThat(largest).isLessThanOrEqualTo(TOLERANCE);
  }

  @ParameterizedTest
  @CsvSource({
    "dit, none",
    "dit, fora",
    "dit, linear",
    "dit, mixed",
    "dit, full",
    "pairs, none",
    "pairs, fora",
    "whole, none",
    "whole, linear",
    "half, none",
    "half, linear"
  })
  void latents_ofEveryModelAndRouter_areThoseOfTheEmbeddedRuntime(String model, String router) {
    for (double guidance : List.of(4.0, 1.0)) {
      Request request = request(router).withGuidance(guidance);
      float[] expected = embedded(model, request);
      for (SharedMemory shared : List.of(SharedMemory.ON, SharedMemory.OFF)) {
        assertSame(triton(model, request, shared), expected);
      }
    }
  }

  /** A third of a DiT's weights are in its engine. */
  @ParameterizedTest
  @CsvSource({"ON, fora, 1", "ON, none, 1", "OFF, fora, 6"})
  void condition_isMadeOnceATrajectory_whereMemoryIsShared(
      SharedMemory shared, String router, int calls) {
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(shared);
    try (Pipeline pipeline = Pipeline.connect(server.address(), "pairs", options)) {
      Request request = request(router);
      float[] expected = embedded("pairs", request);
      Statistics before = pipeline.statistics();
      assertSame(
          pipeline.generateAsync(request, ForkJoinPool.commonPool()).join().latents().values(),
          expected);
      Statistics spent = pipeline.statistics().minus(before);
      assertThat(spent.models().get("pairs-condition").count()).isEqualTo(calls);
      assertThat(spent.models().get("pairs-head").count()).isEqualTo(EVERYTHING.size());
    }
  }

  @Test
  void latents_ofRouters_differFromUncached() {
    float[] uncached = triton("dit", request(Request.NO_ROUTER));
    for (String router : List.of("fora", "linear", "mixed")) {
      float[] routed = triton("dit", request(router));
      assertThat(Golden.difference(routed, uncached)).as(router).isGreaterThan(1e-2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "linear"})
  void pictures_ofTexts_areThoseOfTheEmbeddedRuntime(String router) {
    Random random = new Random(3);
    float[] values = new float[2 * 7 * 18];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    long[] mask = new long[2 * 7];
    Arrays.fill(mask, 1);
    mask[6] = 0;
    Embeddings texts = new Embeddings(values, mask, 2, 7, 18);
    Request request =
        Request.of(new Content.Texts(texts, Optional.of(texts.rows(1, 2))))
            .withSampler("ddim")
            .withRouter(router)
            .withSteps(FORECASTS.size());
    try (Pipeline served = Pipeline.connect(server.address(), "pixart");
        Pipeline here = Pipeline.open(repository, "pixart")) {
      assertThat(served.drawsPictures()).isTrue();
      Latents expected = here.generate(request).latents();
      Latents actual = served.generate(request).latents();
      assertSame(actual.values(), expected.values());
      assertSame(served.decode(expected).values(), here.decode(expected).values());
    }
  }

  @Test
  void routerThatComputesEverything_givesTheUncachedLatentsExactly() {
    assertThat(triton("dit", request("full"))).isEqualTo(triton("dit", request("none")));
    assertThat(embedded("dit", request("full"))).isEqualTo(embedded("dit", request("none")));
  }

  @Test
  @Tag("golden")
  void diffusers_everyStep() {
    MatchResult run =
        vectors.names().stream()
            .map(PipelineGoldenTest.DIFFUSERS::matcher)
            .filter(matcher -> matcher.matches() && matcher.group(1) == null) // guided
            .findFirst()
            .orElseThrow();
    int steps = Integer.parseInt(run.group(2));
    try (Pipeline pipeline = Pipeline.connect(server.address(), "dit")) {
      Request request = PipelineGoldenTest.request(vectors).withSteps(steps);
      float[] states = floats(vectors, run.group());
      PipelineGoldenTest.check(pipeline, request, states, 1, new ArrayList<>());
    }
  }

  @Test
  void halfPrecision_sendsCachesAsFp16() {
    try (TritonRuntime runtime = TritonRuntime.connect(server.address())) {
      ModelConfig config = runtime.config(Names.route("half", "linear", 0));
      Map<String, DataType> types =
          config.getOutputList().stream()
              .collect(Collectors.toMap(ModelOutput::getName, ModelOutput::getDataType));
      assertThat(types)
          .containsEntry(Names.NOISE_PREDICTION, DataType.TYPE_FP32)
          .hasSizeGreaterThan(1);
      types.remove(Names.NOISE_PREDICTION);
      assertThat(types.values()).containsOnly(DataType.TYPE_FP16);
    }
    Request request = request("linear");
    double difference = Golden.difference(triton("half", request), triton("whole", request));
    assertThat(difference).isBetween(1e-6, 0.5); // other numbers, the same picture
  }

  @Test
  void trajectoriesOfTwoThreads_giveWhatEachGivesAlone() throws Exception {
    List<Request> requests = List.of(request("linear"), request("mixed").withGuidance(1));
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (Pipeline pipeline = Pipeline.connect(server.address(), "dit")) {
      List<float[]> alone = new ArrayList<>();
      for (Request request : requests) {
        alone.add(pipeline.generate(request).latents().values());
      }
      List<Future<Result>> together = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        Request request = requests.get(i % 2);
        together.add(threads.submit(() -> pipeline.generate(request)));
      }
      for (int i = 0; i < together.size(); i++) {
        assertSame(together.get(i).get().latents().values(), alone.get(i % 2)); // or batched
      }
    } finally {
      threads.shutdown();
    }
  }

  /**
   * Triton leaves out what no one asked for only where no step reads it on, as with our outputs;
   * else it answers {@code unexpected deadlock}.
   */
  @Test
  void ensemble_calledByABareClient_givesTheRequestedOutputsAlone() {
    String step = Names.route("dit", "fora", 0);
    long[] shape = vectors.tensor("latents").shape().stream().mapToLong(Long::longValue).toArray();
    long rows = shape[0];
    try (TritonRuntime runtime = TritonRuntime.connect(server.address());
        Tensor sample = runtime.tensor(FloatBuffer.wrap(floats(vectors, "latents")), shape);
        Tensor timestep = runtime.tensor(LongBuffer.allocate((int) rows), rows, 1);
        Tensor label = runtime.tensor(LongBuffer.allocate((int) rows), rows, 1)) {
      Map<String, Tensor> inputs =
          Map.of(Names.SAMPLE, sample, Names.TIMESTEP, timestep, Names.CLASS_LABEL, label);
      Set<String> stored =
          runtime.config(step).getOutputList().stream()
              .map(ModelOutput::getName)
              .collect(Collectors.toSet());
      Map<String, Tensor> all = runtime.infer(step, inputs, stored);
      assertThat(all).hasSizeGreaterThan(2);
      all.forEach(
          (name, expected) -> {
            Map<String, Tensor> one = runtime.infer(step, inputs, Set.of(name));
            assertThat(one).containsOnlyKeys(name);
            assertThat(one.get(name).floats()).as(name).isEqualTo(expected.floats());
          });
    }
  }

  @Test
  void manifest_reachesEveryClientUnchanged() throws Exception {
    try (EmbeddedRuntime files = EmbeddedRuntime.open(repository);
        TritonRuntime grpc = TritonRuntime.connect(server.address())) {
      String manifest = parameter(grpc.config("dit"));
      assertThat(manifest).isEqualTo(parameter(files.config("dit"))).contains("漢");
      assertThat(Manifest.of(grpc.config("dit")).toJson()).isEqualTo(manifest);
      String http =
          new ObjectMapper()
              .readTree(server.http("/v2/models/dit/config"))
              .at("/parameters/harmonica/string_value")
              .asText();
      assertThat(http).isEqualTo(manifest);
      String full = new ObjectMapper().readTree(manifest).at("/routers/full").toString();
      assertThat(Router.parse(full, "full").training().path("note").asText())
          .isEqualTo("\"quoted\", 'single', \\back\\slash, line\nbreak\ttab, é 漢 😀");
    }
  }

  @Test
  void handles_areClosed_afterEveryRun() {
    List<HandleLedger> runtimes =
        List.of(
            new HandleLedger(EmbeddedRuntime.open(repository)),
            new HandleLedger(TritonRuntime.connect(server.address())));
    for (HandleLedger runtime : runtimes) {
      try (Pipeline pipeline = Pipeline.over(runtime, "dit")) {
        pipeline.generate(request("linear"));
        pipeline.generate(request("mixed"));
        assertThatThrownBy(() -> pipeline.generate(request("mixed"), step -> step.step() < 2))
            .hasMessage("cancelled after step 3 of 6");
        assertThat(runtime.given()).isPositive();
        assertThat(runtime.open()).isEmpty();
      }
    }
  }

  @Test
  void serverThatDies_endsTheRunWithOneLine_andNoHandleOpen() throws Exception {
    Path single = own.resolve("repository");
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      List<Router> routers = List.of(router("linear", model, FORECASTS, Reuse.LINEAR));
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, routers, options).export(single);
    }
    try (TritonServer mortal = TritonServer.start(single)) {
      HandleLedger runtime = new HandleLedger(TritonRuntime.connect(mortal.address()));
      try (Pipeline pipeline = Pipeline.over(runtime, "dit")) {
        List<Integer> steps = new ArrayList<>();
        StepListener killer =
            step -> {
              steps.add(step.step());
              if (step.step() == 2) {
                mortal.kill();
              }
              return true;
            };
        assertThatThrownBy(() -> pipeline.generate(request("linear"), killer))
            .isInstanceOf(HarmonicaException.class)
            .hasMessageStartingWith("Triton server " + mortal.address())
            .hasMessageContaining("start it")
            .hasMessageNotContaining("\n");
        assertThat(steps).containsExactly(0, 1, 2);
        assertThat(runtime.given()).isPositive();
        assertThat(runtime.open()).isEmpty();
      }
    }
  }
}
