package io.harmonica.endtoend;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.cli.PipelineFolder;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.metrics.MetricsPort;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.triton.TritonRuntime;
import io.harmonica.triton.TritonServer;
import io.harmonica.whole.WholeCall;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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

  private static final Pattern METRIC = Pattern.compile("\\b((?:nv|harmonica)_\\w+)(\\{[^}]*})?");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=");
  private static final Pattern BY = Pattern.compile("by \\(([^)]*)\\)");

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
          .withWholePictures(List.of("none", "taylor-2"))
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

  /** What clients of any language are told, as docs/FLEET.md says. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "seed INT64 1 1 | class_label INT64 1 1 | missing required input(s) ['guidance']",
        "seed INT64 1 1 | class_label INT64 1 2 | unexpected shape for input 'class_label'",
        "seed INT64 9 1 | class_label INT64 9 1 | batch-size must be <= 8",
        "seed FP32 1 1 | class_label INT64 1 1 | expects 'INT64'",
        "noise FP32 1 1 | class_label INT64 1 1 | unexpected inference input 'noise'"
      })
  void requestsThatDoNotFit_areRefused(String first, String label, String answer) throws Exception {
    String guidance = answer.contains("guidance") ? "" : ", " + input("guidance FP32 1 1");
    if (first.contains(" 9 ")) {
      guidance = ", " + input("guidance FP32 9 1");
    }
    String body = "{\"inputs\": [%s, %s%s]}".formatted(input(first), input(label), guidance);
    URI model =
        URI.create(
            "http://127.0.0.1:%d/v2/models/shapes.taylor-2.seed/infer"
                .formatted(server.httpPort()));
    HttpResponse<String> refused =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(model)
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(refused.body()).contains(answer);
  }

  /** Ones of a type and shape, as JSON. */
  private static String input(String described) {
    String[] words = described.split(" ");
    int count = Integer.parseInt(words[2]) * Integer.parseInt(words[3]);
    return "{\"name\": \"%s\", \"datatype\": \"%s\", \"shape\": [%s, %s], \"data\": %s}"
        .formatted(words[0], words[1], words[2], words[3], Collections.nCopies(count, 1));
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

  /** The loop's pictures, for a request and an answer of a sample each. */
  @Test
  void comparison_setsOneRequestAgainstTheLoop() throws Exception {
    Path json = own.resolve("out.json");
    Invocation done =
        Invocation.of(
            ("compare --model shapes --classes 1,2 --rounds 2 --warm-up 1 --shared-memory off"
                    + " --a taylor-2 --b taylor-2,whole=yes --triton %s --json %s")
                .formatted(server.address(), json)
                .split(" "));
    assertThat(done.code()).as(done.err()).isZero();
    JsonNode variants = new ObjectMapper().readTree(Files.readAllBytes(json)).path("variants");
    JsonNode whole = variants.path(1);
    assertThat(whole.path("description").asText()).contains("in one request");
    assertThat(whole.path("psnr").isNull() || whole.path("psnr").asDouble() > 80).isTrue();
    assertThat(whole.path("wireBytesPerPicture").asDouble())
        .isBetween(2 * 4 * 3072.0, 2 * 4 * 3072 + 2000.0);
    assertThat(variants.path(0).path("wireBytesPerPicture").asDouble())
        .isGreaterThan(20 * whole.path("wireBytesPerPicture").asDouble());
    for (String part : List.of("blocks", "sampler_and_guidance")) {
      assertThat(whole.path("timeMillis").path(part).asDouble()).as(part).isPositive();
    }
  }

  @Test
  void generate_drawsInOneRequest_whereItIsExported() {
    String[] command =
        ("generate --model shapes --classes 4 --seed 5 --whole --triton %s --out %s"
                + " --save-latents %s --router ")
            .formatted(server.address(), own.resolve("out"), own.resolve("l.safetensors"))
            .split(" ");
    Invocation done = Invocation.of(with(command, "taylor-2"));
    assertThat(done.err()).isEmpty();
    Request request = Request.of(List.of(4)).withRouter("taylor-2").withSeed(5);
    Latents expected = loop.generate(request).latents();
    try (Checkpoint saved = Checkpoint.open(own.resolve("l.safetensors"))) {
      assertSame(new Latents(saved.tensor("latents").floats(), 1, 3, 32, 32), expected);
    }
    assertThat(Invocation.of(with(command, "fora-2")).err())
        .startsWith(
            "error: no pictures of shapes.fora-2 in one request, which harmonica-export --picture fora-2 adds:")
        .hasLineCount(1);
  }

  /** The text goes as tokens. */
  @Test
  void generate_drawsTextsInOneRequest() throws Exception {
    List<float[]> drawn = new ArrayList<>();
    for (String way : List.of("--whole", "--steps-per-request 1")) {
      Path latents = own.resolve(drawn.size() + ".safetensors");
      Invocation done =
          Invocation.of(
              ("generate --model pixart --prompt lantern --seed 5 --triton %s --out %s --save-latents %s %s")
                  .formatted(server.address(), own.resolve("out" + drawn.size()), latents, way)
                  .split(" "));
      assertThat(done.err()).isEmpty();
      try (Checkpoint saved = Checkpoint.open(latents)) {
        drawn.add(saved.tensor("latents").floats());
      }
    }
    double largest = Golden.difference(drawn.get(1), new float[drawn.get(1).length]);
    assertThat(Golden.difference(drawn.get(0), drawn.get(1))).isLessThan(1e-5 * largest);
  }

  private static String[] with(String[] command, String router) {
    String[] all = Arrays.copyOf(command, command.length + 1);
    all[command.length] = router;
    return all;
  }

  /** Names and labels of all that its panels ask for, at a client's port and at the server's. */
  @Test
  void dashboard_asksForMetricsThatAreThere() throws Exception {
    new WholeCall(runtime, "shapes.taylor-2").labels(noise(1, 3, 32, 1), List.of(1), GUIDANCE);
    String shown;
    try (MetricsPort port = MetricsPort.open("0");
        Pipeline pipeline =
            Pipeline.builder("shapes").triton(server.address()).metrics(port.metrics()).open()) {
      pipeline.generate(Request.of(List.of(1)).withRouter("taylor-2"));
      HttpRequest ask = HttpRequest.newBuilder(URI.create(port.url())).build();
      shown = HttpClient.newHttpClient().send(ask, HttpResponse.BodyHandlers.ofString()).body();
    }
    List<String> lines = Stream.concat(shown.lines(), server.metrics().lines()).toList();
    Set<String> names = new TreeSet<>();
    for (JsonNode expression :
        new ObjectMapper().readTree(new File("triton-config/grafana.json")).findValues("expr")) {
      String query = expression.asText();
      Set<String> labels = new TreeSet<>();
      BY.matcher(query).results().forEach(by -> labels.addAll(List.of(by.group(1).split(", "))));
      for (MatchResult metric : METRIC.matcher(query).results().toList()) {
        names.add(metric.group(1));
        Set<String> own = new TreeSet<>(labels);
        if (metric.group(2) != null) {
          LABEL.matcher(metric.group(2)).results().forEach(label -> own.add(label.group(1)));
        }
        assertThat(lines)
            .as(query)
            .anyMatch(
                line ->
                    line.startsWith(metric.group(1) + "{")
                        && own.stream().allMatch(label -> line.contains(label + "=\"")));
      }
    }
    assertThat(names).hasSizeGreaterThan(12);
  }

  /** Every client of another language draws the loop's picture, to the last level. */
  @ParameterizedTest
  @CsvSource({"picture_grpc.py", "picture_http.py", "picture.sh", "picture.go"})
  void clientsOfOtherLanguages_drawTheLoopsPicture(String client) throws Exception {
    assumeThat(!client.endsWith(".go") || isThere("go")).as("Go is there").isTrue();
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

  private static boolean isThere(String command) {
    return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
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
    } else if (client.endsWith(".go")) {
      command.addAll(List.of("go", "run"));
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
