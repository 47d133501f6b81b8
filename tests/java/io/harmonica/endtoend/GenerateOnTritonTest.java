package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.Eventually;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Rollout;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.router.Router;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code harmonica generate --triton} on a real server, and what it says when things go wrong. */
@Tag("triton")
class GenerateOnTritonTest {
  @TempDir static Path folder;

  private static Path repository;
  private static TritonServer server;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    repository = export(folder.resolve("repository"), "tier:fast");
    String manifest = parameter(ConfigFile.read(repository.resolve("dit")));
    addBase("no-json", manifest.substring(0, manifest.length() / 2));
    addBase("no-branches", manifest.replaceFirst("\"branches\":\\[[^]]*],", ""));
    addBase("null-noise", manifest.replaceFirst("\"noise\":\\{[^}]*}", "\"noise\":null"));
    addBase("of-the-future", manifest.replace(Manifest.FORMAT, "harmonica-model/9"));
    addBase("bad-router", manifest.replace("harmonica-router/1", "harmonica-router/9"));
    server = TritonServer.start(repository);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  /**
   * Exports {@code dit} with router {@code r} of two steps, of tier {@code fast}, an engine a
   * route.
   *
   * @param pictures routers that draw in one request, by name or tier
   */
  private static Path export(Path to, String... pictures) {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      Router router = Exports.everyOther("r", model);
      router.training().put("tier", "fast");
      new Exporter(model, List.of(router), options).withWholePictures(List.of(pictures)).export(to);
      return to;
    }
  }

  /** Adds a base ensemble on the same engines with a manifest of its own. */
  private static void addBase(String name, String manifest) throws IOException {
    ModelConfig whole = ConfigFile.read(repository.resolve("dit"));
    assertThat(manifest).isNotEqualTo(parameter(whole));
    ModelParameter parameter = ModelParameter.newBuilder().setStringValue(manifest).build();
    ModelConfig config =
        whole.toBuilder().setName(name).putParameters(Manifest.KEY, parameter).build();
    Path model = repository.resolve(name);
    Files.createDirectories(model.resolve("1"));
    Files.writeString(model.resolve(ConfigFile.NAME), ConfigFile.print(config));
  }

  private static String parameter(ModelConfig config) {
    return config.getParametersOrThrow(Manifest.KEY).getStringValue();
  }

  /** Generates into folder {@code out} and file {@code result.safetensors} of the test's own. */
  private Invocation generate(String runtime, String where, String model, String... more) {
    List<String> words = new ArrayList<>(List.of("generate", runtime, where, "--model", model));
    words.addAll(List.of("--classes", "2,1", "--out", own.resolve("out").toString()));
    words.addAll(List.of("--save-latents", own.resolve("result.safetensors").toString()));
    words.addAll(List.of(more));
    return Invocation.of(words.toArray(String[]::new));
  }

  private void assertFailed(Invocation invocation, String... said) {
    assertThat(invocation.err()).startsWith("error: ").contains(said).hasLineCount(1);
    assertThat(invocation.code()).isEqualTo(1);
    assertThat(invocation.out()).isEmpty();
    assertThat(own).as("nothing half-written").isEmptyDirectory();
  }

  @Test
  void generate_givesTheLatentsOfTheEmbeddedRuntime() {
    String[] options = {"--router", "r", "--guidance", "4", "--seed", "7"};
    float[] embedded =
        latentsOf(generate("--model-repository", repository.toString(), "dit", options));
    float[] triton = latentsOf(generate("--triton", server.address(), "dit", options));
    Golden.assertClose("latents", triton, embedded, 1e-5);
  }

  /** By command and request, in a rollout, and of a picture in one request. */
  @Test
  void tier_isTheRouterThatNotesIt() {
    String[] asked = {"--tier", "fast", "--guidance", "4", "--seed", "7"};
    float[] byTier = latentsOf(generate("--triton", server.address(), "dit", asked));
    asked[0] = "--router";
    asked[1] = "r";
    assertThat(byTier).isEqualTo(latentsOf(generate("--triton", server.address(), "dit", asked)));
    Request request = Request.of(List.of(2, 1)).withGuidance(4).withSeed(7);
    String share = Rollout.parse("tier:fast:100%").router("anyone");
    try (Pipeline steps = Pipeline.connect(server.address(), "dit");
        Pipeline whole = Pipeline.builder("dit").triton(server.address()).whole().open()) {
      for (Pipeline pipeline : List.of(steps, whole)) {
        for (Request one : List.of(request.withTier("fast"), request.withRouter(share))) {
          float[] drawn = pipeline.generate(one).latents().values();
          Golden.assertClose("latents", drawn, byTier, 1e-5);
        }
      }
      assertThatThrownBy(() -> steps.generate(request.withTier("quality")))
          .hasMessageStartingWith("model dit has no router of `tier` 'quality', it has fast");
    }
  }

  @Test
  void generate_beyondItsDeadline_saysSo() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + silent.getLocalPort();
      assertFailed(
          generate("--triton", address, "dit", "--deadline", "0.25"),
          "Triton server " + address + " gave no answer within the deadline of 0.25 s");
    }
  }

  private float[] latentsOf(Invocation invocation) {
    assertThat(invocation.code()).as(invocation.err()).isZero();
    assertThat(invocation.out()).startsWith("2 pictures in ").contains("router r");
    try (Checkpoint result = Checkpoint.open(own.resolve("result.safetensors"))) {
      return result.tensor("latents").floats();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          dti             | none | has no model 'dti', it has dit,
          dit-step-cccccc | none | model dit-step-cccccc is only a part of a model: name dit,
          dit-r-route00   | none | model dit-r-route00 is only a part of a model: name dit,
          dit             | fora | model dit has no router 'fora', it has r
          no-json         | none | model no-json: parameter 'harmonica' is not a manifest
          no-branches     | none | 'branches'
          null-noise      | none | 'noise'
          of-the-future   | none | manifest format is 'harmonica-model/9', expected 'harmonica-model/2'
          bad-router      | r    | router r of model dit
          no-branches     | r    | model no-branches: parameter 'harmonica' is not a manifest
          """)
  void generate_withAModelThatIsNoneOrBroken_saysWhichAndWhy(
      String model, String router, String said) {
    assertFailed(generate("--triton", server.address(), model, "--router", router), said);
  }

  @Test
  void generate_whileTheServerIsNotReady_saysWhichModelAndWhy() throws Exception {
    Path broken = export(folder.resolve("broken"));
    Files.writeString(broken.resolve("dit-step-cccccc/1/model.onnx"), "truncated");
    try (TritonServer unready = TritonServer.startDespiteFaults(broken)) {
      assertFailed(
          generate("--triton", unready.address(), "dit"),
          "Triton server "
              + unready.address()
              + " has model 'dit' in its repository but not loaded",
          "dit-step-cccccc");
    }
  }

  @Test
  void generate_whoseServerDies_saysSo_andWritesNothing() throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (TritonServer mortal = TritonServer.start(export(folder.resolve("mortal")))) {
      Future<Invocation> run =
          thread.submit(() -> generate("--triton", mortal.address(), "dit", "--steps", "1000"));
      Eventually.until(
          "a step done",
          () -> {
            assertThat(run.isDone()).as("run ended early").isFalse();
            return mortal
                .metrics()
                .matches("(?s).*nv_inference_count\\{model=\"dit\",[^}]*} [1-9].*");
          });
      mortal.kill();
      assertFailed(run.get(), "Triton server " + mortal.address(), "start it");
    } finally {
      thread.shutdown();
    }
  }
}
