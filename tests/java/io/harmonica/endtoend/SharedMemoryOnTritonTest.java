package io.harmonica.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.harmonica.Checkpoints;
import io.harmonica.Eventually;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.metrics.Metrics;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.Traffic;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Regions of shared memory between this host's clients and a real server, however they end. */
@Tag("triton")
class SharedMemoryOnTritonTest {
  private static final Path MEMORY = Path.of("/dev/shm");
  private static final String OURS = "harmonica-region-";
  private static final int STEPS = 6;

  @TempDir static Path folder;

  private static TritonServer server;
  private static Path repository;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      boolean[][] computes = new boolean[STEPS][model.denoiser().branches().size()];
      for (int s = 0; s < STEPS; s++) {
        for (int b = 0; b < computes[s].length; b++) {
          computes[s][b] = s == 0 || (s + b) % 3 == 0;
        }
      }
      List<Integer> timesteps = Spacing.LEADING.timesteps(STEPS, 1000);
      List<Router> routers =
          List.of(
              Exports.router("last", model, timesteps, computes, Reuse.LAST),
              Exports.router("linear", model, timesteps, computes, Reuse.LINEAR));
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, routers, options).export(repository);
      ExportOptions eight = ExportOptions.of("dit8").withBlocksPerEngine(0).withCacheInt8(true);
      new Exporter(model, routers, eight).export(repository);
    }
    server = TritonServer.start(repository);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    assertThat(files()).isEmpty();
    assertThat(registered()).isEmpty();
  }

  /** Names of our regions in /dev/shm. */
  private static Set<String> files() throws IOException {
    try (Stream<Path> files = Files.list(MEMORY)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith(OURS))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** Our regions that the server has mapped. */
  private static Set<String> registered() throws IOException {
    Set<String> names = new TreeSet<>();
    String status = server.http("/v2/systemsharedmemory/status");
    java.util.regex.Pattern.compile("\"name\":\"(" + OURS + "[0-9a-f]+)\"")
        .matcher(status)
        .results()
        .forEach(match -> names.add(match.group(1)));
    return names;
  }

  private static Pipeline pipeline(SharedMemory shared) {
    return pipeline(shared, Metrics.NONE);
  }

  private static Pipeline pipeline(SharedMemory shared, Metrics metrics) {
    return pipeline("dit", shared, metrics);
  }

  private static Pipeline pipeline(String model, SharedMemory shared, Metrics metrics) {
    ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(shared);
    return Pipeline.builder(model).triton(server.address(), options).metrics(metrics).open();
  }

  private static Request request(String router) {
    Request request = Request.of(List.of(1, 2, 0)).withRouter(router).withGuidance(4).withSeed(5);
    return router.equals(Request.NO_ROUTER) ? request.withSteps(STEPS) : request;
  }

  /** Bytes a token: 32 of fp32 in the one, 32 + 1 in the other. */
  @Test
  void cachesIn8Bits_areAQuarterInBoth_andDrawTheSame() {
    long[] wired = new long[2];
    float[][] drawn = new float[2][];
    List<String> models = List.of("dit", "dit8");
    for (int i = 0; i < 2; i++) {
      try (Pipeline shared = pipeline(models.get(i), SharedMemory.ON, Metrics.NONE);
          Pipeline wire = pipeline(models.get(i), SharedMemory.OFF, Metrics.NONE)) {
        drawn[i] = wire.generate(request("linear")).latents().values();
        wired[i] = wire.statistics().traffic().wireBytes();
        assertThat(shared.generate(request("linear")).latents().values()).isEqualTo(drawn[i]);
      }
    }
    assertThat(wired[1]).isLessThan(wired[0] / 2); // the rest are samples and headers
    assertThat(Golden.difference(drawn[0], drawn[1])).isBetween(1e-6, 0.5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "last", "linear"})
  void latents_throughSharedMemory_areThoseOverTheWire(String router) {
    try (Pipeline shared = pipeline(SharedMemory.ON);
        Pipeline wire = pipeline(SharedMemory.OFF)) {
      Latents expected = wire.generate(request(router)).latents();
      for (int run = 0; run < 3; run++) { // the second and third in the first's region
        assertThat(shared.generate(request(router)).latents().values())
            .isEqualTo(expected.values());
      }
      assertThat(shared.generate(request(router).withGuidance(1)).latents().values())
          .isEqualTo(wire.generate(request(router).withGuidance(1)).latents().values());
    }
  }

  @Test
  void messages_carryNoTensor_whereMemoryIsShared() {
    try (Pipeline shared = pipeline(SharedMemory.ON);
        Pipeline wire = pipeline(SharedMemory.OFF)) {
      Traffic inMemory = spent(shared);
      Traffic onTheWire = spent(wire);
      assertThat(onTheWire.sharedBytes()).isZero();
      long carried = onTheWire.wireBytes();
      long said = inMemory.wireBytes();
      // What each says of names and shapes is nearly the same; places take some 200 bytes a tensor.
      long tensors = STEPS * (4 + 2L * 6 + 1 + 6);
      assertThat(said).isLessThan(tensors * 350);
      assertThat(inMemory.sharedBytes()).isBetween(carried - tensors * 200, carried);
      assertThat(inMemory.sharedBytes()).isGreaterThan(5 * said);
    }
  }

  private static Traffic spent(Pipeline pipeline) {
    Traffic before = pipeline.statistics().traffic();
    pipeline.generate(request("linear"));
    return pipeline.statistics().traffic().minus(before);
  }

  @Test
  void metrics_countBytesByTheirPath() throws Exception {
    for (SharedMemory shared : List.of(SharedMemory.ON, SharedMemory.OFF)) {
      SimpleMeterRegistry registry = new SimpleMeterRegistry();
      try (Pipeline pipeline = pipeline(shared, new Metrics(registry))) {
        Traffic spent = spent(pipeline);
        assertThat(bytes(registry, "wire.sent")).isEqualTo(spent.sentBytes());
        assertThat(bytes(registry, "wire.received")).isEqualTo(spent.receivedBytes());
        assertThat(bytes(registry, "shared_memory")).isEqualTo(spent.sharedBytes());
        assertThat(spent.sharedBytes() > 0).isEqualTo(shared == SharedMemory.ON);
      }
    }
  }

  private static double bytes(SimpleMeterRegistry registry, String path) {
    return registry.get("harmonica.bytes").tag("path", path).counter().count();
  }

  @Test
  void generate_withMetricsPort_saysWhereItAnswers() throws Exception {
    Process client =
        client(List.of(), "--steps", "1000", "--shared-memory", "on", "--metrics-port", "0");
    awaitRegion(client);
    String url = err().lines().findFirst().orElseThrow().replace("note: metrics at ", "");
    Eventually.until(
        "a step counted",
        () -> {
          assertThat(client.isAlive()).as(err()).isTrue();
          return new String(new URL(url).openStream().readAllBytes(), UTF_8)
              .contains("harmonica_steps_total{model=\"dit\",router=\"none\"}");
        });
    client.destroyForcibly().waitFor();
    try (Pipeline next = pipeline(SharedMemory.ON)) {
      next.generate(request("last")); // sweeps what the killed one left
    }
  }

  @Test
  void regions_areOneATrajectory_andHandedOn() throws Exception {
    try (Pipeline pipeline = pipeline(SharedMemory.AUTO)) {
      List<Set<String>> seen = new ArrayList<>();
      for (int run = 0; run < 3; run++) {
        pipeline.generate(
            request("last"),
            step -> {
              seen.add(quietly(SharedMemoryOnTritonTest::files));
              return true;
            });
      }
      assertThat(seen.get(0)).hasSize(1);
      assertThat(Set.copyOf(seen)).hasSize(1);
      pipeline.generate(
          request("last"),
          step -> {
            if (step.step() == 2) {
              pipeline.generate(request("linear")); // while the other is under way
            }
            return true;
          });
      assertThat(files()).hasSize(2).isEqualTo(registered());
    }
  }

  private interface Look {
    Set<String> names() throws IOException;
  }

  private static Set<String> quietly(Look look) {
    try {
      return look.names();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void cancelledTrajectory_leavesThePipelineUsable() {
    try (Pipeline pipeline = pipeline(SharedMemory.ON)) {
      float[] expected = pipeline.generate(request("last")).latents().values();
      try {
        pipeline.generate(request("linear"), step -> step.step() < 2);
      } catch (java.util.concurrent.CancellationException e) {
        assertThat(e).hasMessageContaining("cancelled after step 3");
      }
      assertThat(pipeline.generate(request("last")).latents().values()).isEqualTo(expected);
    }
  }

  /** A client in a process of its own. */
  private Process client(List<String> prefix, String... options) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of("io.harmonica.cli.Harmonica", "generate", "--model", "dit"));
    command.addAll(List.of("--triton", server.address(), "--classes", "1"));
    command.addAll(List.of("--out", own.resolve("out").toString()));
    command.addAll(List.of(options));
    return new ProcessBuilder(command)
        .redirectError(own.resolve("err").toFile())
        .redirectOutput(own.resolve("said").toFile())
        .start();
  }

  /** One with very many steps before it, whose region the server has. */
  private Process clientUnderWay() throws Exception {
    // A shell's background jobs ignore SIGINT, and so would this one.
    Process client =
        client(List.of("env", "--default-signal=INT"), "--steps", "1000", "--shared-memory", "on");
    awaitRegion(client);
    return client;
  }

  private void awaitRegion(Process client) throws Exception {
    Eventually.until(
        "a region that the server has",
        () -> {
          assertThat(client.isAlive()).as(err()).isTrue();
          return !registered().isEmpty();
        });
  }

  private String err() throws IOException {
    return Files.readString(own.resolve("err"));
  }

  @Test
  void clientThatCrashes_leavesARegion_whichTheNextOneSweeps() throws Exception {
    Process client = clientUnderWay();
    client.destroyForcibly().waitFor();
    Set<String> left = files();
    assertThat(left).hasSize(1).isEqualTo(registered());
    try (Pipeline next = pipeline(SharedMemory.AUTO)) {
      next.generate(request("last"));
      assertThat(files()).hasSize(1).doesNotContainAnyElementsOf(left).isEqualTo(registered());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-INT", "-TERM"})
  void clientThatIsInterrupted_takesItsRegionAway_andOneLineSaysSo(String signal) throws Exception {
    Process client = clientUnderWay();
    Set<String> living = files();
    try (Pipeline other = pipeline(SharedMemory.AUTO)) {
      other.generate(request("last")); // sweeps, but not what a living process holds
      assertThat(files()).hasSize(2).containsAll(living).isEqualTo(registered());
    }
    new ProcessBuilder("kill", signal, Long.toString(client.pid())).start().waitFor();
    assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(client.exitValue()).isEqualTo(1);
    assertThat(err()).startsWith("error: interrupted").hasLineCount(1);
    assertThat(own.resolve("out")).doesNotExist();
  }

  @Test
  void clientWithFullMemory_goesOverTheWireWithAWarning_orFailsWithOneLine() throws Exception {
    List<String> tiny = inNamespace("mount -t tmpfs -o size=4k tmpfs /dev/shm");
    Process client = client(tiny, "--steps", "2");
    assertThat(client.waitFor()).as(err()).isZero();
    assertThat(err().lines().filter(line -> !line.startsWith("note: latents")))
        .singleElement()
        .asString()
        .startsWith("WARN shared memory of ")
        .contains("does not fit into /dev/shm", "over the wire");
    assertThat(own.resolve("out/latents.safetensors")).exists();
    client = client(tiny, "--steps", "2", "--shared-memory", "on");
    assertThat(client.waitFor()).isEqualTo(1);
    assertThat(err()).startsWith("error: shared memory of ").hasLineCount(1);
  }

  @Test
  void clientWithMemoryOfItsOwn_asOnAnotherHost_goesOverTheWire_orSaysWhatIsNeeded()
      throws Exception {
    List<String> another = inNamespace("mount -t tmpfs -o size=64m tmpfs /dev/shm");
    Process client = client(another, "--steps", "2");
    assertThat(client.waitFor()).as(err()).isZero();
    client = client(another, "--steps", "2", "--shared-memory", "on");
    assertThat(client.waitFor()).isEqualTo(1);
    assertThat(err())
        .startsWith(
            "error: Triton server "
                + server.address()
                + " cannot open shared memory of this process")
        .contains("--shared-memory off")
        .hasLineCount(1);
  }

  /** A mount name space of its own; skips the test where there are none. */
  private static List<String> inNamespace(String mount) throws Exception {
    Process probe = new ProcessBuilder("unshare", "-m", "sh", "-c", mount).start();
    assumeTrue(probe.waitFor() == 0, "needs root and unshare, for another /dev/shm");
    return List.of("unshare", "-m", "sh", "-c", mount + " && exec \"$@\"", "sh");
  }
}
