package io.harmonica.endtoend;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.cli.PipelineFolder;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.triton.TritonRuntime;
import io.harmonica.triton.TritonServer;
import io.harmonica.whole.WholeCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A picture in one request to a real server, by clients that know nothing of the steps. */
@Tag("triton")
class PictureOnTritonTest {
  private static final double GUIDANCE = 1.5;
  private static final double TOLERANCE = 1e-5; // relative to max(1, |x|)

  @TempDir static Path folder;

  private static Path repository;
  private static TritonServer server;
  private static TritonRuntime runtime;
  private static Pipeline loop; // in this process

  @TempDir Path own;

  /** An engine a route: each is a process of the server's. */
  @BeforeAll
  static void serve() throws Exception {
    repository = folder.resolve("models");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES)) {
      List<Router> routers = new ArrayList<>();
      for (String name : List.of("fora-2", "taylor-2")) {
        routers.add(Router.read(routerFile(name)));
      }
      ExportOptions options = ExportOptions.of("shapes").withBlocksPerEngine(0);
      new Exporter(Exports.model(checkpoint), routers, options)
          .withPictures(List.of("none", "taylor-2"))
          .export(repository);
    }
    Invocation exported =
        Invocation.export(
            "--checkpoint",
            PipelineFolder.in(folder.resolve("pixart")).path().toString(),
            "--text-tokens",
            "12",
            "--blocks-per-engine",
            "all",
            "--picture",
            "none",
            "--model-repository",
            repository.toString());
    assertThat(exported.err()).isEmpty();
    server = TritonServer.start(repository);
    runtime = TritonRuntime.connect(server.address());
    loop = Pipeline.open(repository, "shapes");
  }

  @AfterAll
  static void stop() {
    if (loop != null) {
      loop.close();
      runtime.close();
    }
    if (server != null) {
      server.close();
    }
  }

  private static Path routerFile(String name) {
    return Checkpoints.SHAPES.resolve("routers/" + name + ".json");
  }

  private static Latents noise(int count, int channels, int size, int seed) {
    Random random = new Random(seed);
    float[] values = new float[count * channels * size * size];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new Latents(values, count, channels, size, size);
  }

  private static void assertSame(Latents actual, Latents expected) {
    double largest = 0;
    for (int i = 0; i < expected.values().length; i++) {
      float value = expected.values()[i];
      double difference = Math.abs(actual.values()[i] - value);
      largest = Math.max(largest, difference / Math.max(1, Math.abs(value)));
    }
    assertThat(largest).isLessThanOrEqualTo(TOLERANCE);
  }

  private static Latents loop(String router, List<Integer> classes, Latents noise) {
    Request request = Request.of(classes).withRouter(router).withGuidance(GUIDANCE);
    return loop.generate(request.withLatents(noise)).latents();
  }

  private static void assertDrawsAsTheLoop(String model, String router) {
    Latents noise = noise(2, 3, 32, 1);
    List<Integer> classes = List.of(3, 7);
    WholeCall.Answer answer =
        new WholeCall(runtime, model).labels(noise, classes, GUIDANCE, GUIDANCE);
    Latents expected = loop(router, classes, noise);
    assertSame(answer.latents(), expected);
    WholeCall.assertPictures(answer.images(), loop.decode(expected));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "taylor-2"})
  void picturesOfLabels_areTheLoops(String router) {
    assertDrawsAsTheLoop("shapes." + router, router);
  }

  /** Encoder and decoder run on the server; in this process they do the same. */
  @Test
  void picturesOfTexts_areThoseOfThisProcess() {
    List<String> texts = List.of("a red lantern", "An old bridge.");
    try (EmbeddedRuntime here = EmbeddedRuntime.open(repository);
        Pipeline pipeline = Pipeline.open(repository, "pixart")) {
      Latents noise = noise(2, pipeline.manifest().channels(), pipeline.manifest().height(), 2);
      WholeCall.Answer expected = new WholeCall(here, "pixart.none").texts(noise, texts, "x", 4.5);
      WholeCall.Answer answer = new WholeCall(runtime, "pixart.none").texts(noise, texts, "x", 4.5);
      assertSame(answer.latents(), expected.latents());
      WholeCall.assertSamePictures(answer.images(), pipeline.decode(answer.latents()));
    }
  }

  @Test
  void eightAtOnce_areEachTheirOwn() {
    List<CompletableFuture<WholeCall.Answer>> answers =
        IntStream.range(0, 8)
            .mapToObj(
                i ->
                    CompletableFuture.supplyAsync(
                        () ->
                            new WholeCall(runtime, "shapes.taylor-2")
                                .labels(noise(1, 3, 32, i), List.of(i), GUIDANCE)))
            .toList();
    for (int i = 0; i < 8; i++) {
      assertSame(answers.get(i).join().latents(), loop("taylor-2", List.of(i), noise(1, 3, 32, i)));
    }
  }

  @Test
  void whatWouldGiveAWrongPicture_isRefused() {
    WholeCall call = new WholeCall(runtime, "shapes.taylor-2");
    Latents noise = noise(1, 3, 32, 1);
    assertThatThrownBy(() -> call.labels(noise, List.of(10), 4))
        .hasMessageContaining("class_label must be 0..9");
    float[] broken = noise.values().clone();
    broken[17] = Float.NaN;
    assertThatThrownBy(() -> call.labels(new Latents(broken, 1, 3, 32, 32), List.of(1), 4))
        .hasMessageContaining("noise holds NaN or infinity");
    assertThat(call.labels(noise, List.of(9), 4).images()).hasSize(32 * 32 * 3); // goes on
  }

  /** By engines that come with the request: nothing of it lies in the repository. */
  @Test
  void deployedRouter_drawsInOneRequest_untilItIsTakenOff() throws Exception {
    String file = Files.readString(routerFile("fora-2"));
    Path hot = own.resolve("hot.json");
    Files.writeString(hot, file.replace("\"name\": \"fora-2\"", "\"name\": \"hot\""));
    Invocation deployed = deploy(hot);
    assertThat(deployed.err()).as(server.log()).isEmpty();
    assertThat(deployed.out()).contains("has router hot: 4 ensembles loaded");
    assertThat(deploy(hot).out()).isEqualTo(deployed.out()); // again
    assertDrawsAsTheLoop("shapes.hot", "fora-2");
    Invocation taken =
        Invocation.of(
            "undeploy", "--triton", server.address(), "--model", "shapes", "--router", "hot");
    assertThat(taken.err()).isEmpty();
    try (TritonRuntime after = TritonRuntime.connect(server.address())) {
      assertThat(after.models().index())
          .filteredOn(entry -> entry.isReady())
          .noneMatch(entry -> entry.name().contains("hot"));
    }
    assertDrawsAsTheLoop("shapes.none", "none"); // what routers share stays
  }

  private static Invocation deploy(Path router) {
    return Invocation.of(
        "deploy",
        "--triton",
        server.address(),
        "--model",
        "shapes",
        "--router",
        router.toString(),
        "--picture");
  }

  /** Every client of another language draws the loop's picture, to the last level. */
  @ParameterizedTest
  @CsvSource({"picture_grpc.py", "picture_http.py", "picture.sh"})
  void clientsOfOtherLanguages_drawTheLoopsPicture(String client) throws Exception {
    Request request = Request.of(List.of(5)).withRouter("taylor-2").withGuidance(GUIDANCE);
    String start = "11"; // a seed
    if (client.equals("picture_grpc.py")) {
      Latents noise = noise(1, 3, 32, 11);
      request = request.withLatents(noise);
      start = Files.write(own.resolve("noise.f32"), bytes(noise.values())).toString();
    }
    Path out = own.resolve("out.ppm");
    String said = run(client, "5", start, out);
    assertThat(out).as(said).exists();
    Latents expected = loop.generate(request.withSeed(11)).latents();
    WholeCall.assertPictures(ppm(Files.readAllBytes(out)), loop.decode(expected));
    assertThat(run(client, "77", start, own.resolve("none.ppm")))
        .contains("class_label must be 0..9");
    assertThat(own.resolve("none.ppm")).doesNotExist();
    assertThat(Files.readAllLines(Path.of("tests/triton/" + client))).hasSizeLessThan(30);
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static String run(String client, String label, String start, Path out) throws Exception {
    boolean python = client.endsWith(".py");
    boolean grpc = client.contains("grpc");
    List<String> command = new ArrayList<>();
    if (python) {
      command.add("tests/triton/client.sh");
    }
    command.add(python ? client : "tests/triton/" + client);
    command.add(grpc ? server.address() : "127.0.0.1:" + server.httpPort());
    command.add(grpc ? "shapes.taylor-2" : "shapes.taylor-2.seed");
    command.addAll(List.of(label, "" + GUIDANCE, start, out.toString()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return said;
  }

  /** The levels of a picture in one of Netpbm's forms. */
  private static byte[] ppm(byte[] file) {
    String text = new String(file, US_ASCII);
    int header = text.indexOf("255") + 4;
    if (text.startsWith("P6 32 32 ")) {
      return Arrays.copyOfRange(file, header, file.length);
    }
    assertThat(text).startsWith("P3 32 32 ");
    String[] numbers = text.substring(header).strip().split(" ");
    byte[] levels = new byte[numbers.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (byte) Integer.parseInt(numbers[i]);
    }
    return levels;
  }
}
