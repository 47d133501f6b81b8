package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Eventually;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.router.Router;
import io.harmonica.triton.TritonServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code harmonica compare} with a real server. */
@Tag("triton")
class CompareOnTritonTest {
  @TempDir static Path folder;

  private static Path repository;

  @TempDir Path own;

  /** One engine a route: few processes for the stand-in backend. */
  @BeforeAll
  static void export() {
    repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("export/shapes-dit"))) {
      List<Router> routers =
          List.of(Router.read(Path.of("export/shapes-dit/routers/taylor-2.json")));
      ExportOptions options = ExportOptions.of("shapes-dit").withBlocksPerEngine(0);
      new Exporter(Exports.model(checkpoint), routers, options).export(repository);
    }
  }

  private Invocation compare(TritonServer server, String rounds) {
    return Invocation.of(
        "compare",
        "--model-repository",
        repository.toString(),
        "--model",
        "shapes-dit",
        "--a",
        "name=here,router=taylor-2",
        "--b",
        "name=there,router=taylor-2,triton=" + server.address(),
        "--classes",
        "1,2",
        "--rounds",
        rounds,
        "--warm-up",
        "1",
        "--shared-memory",
        "off", // what goes over the wire is counted
        "--json",
        own.resolve("out.json").toString(),
        "--report",
        own.resolve("out.html").toString());
  }

  private JsonNode json() throws Exception {
    return new ObjectMapper().readTree(Files.readAllBytes(own.resolve("out.json")));
  }

  @Test
  void compare_setsEmbeddedAgainstTriton_andGoesOnWhenTheServerDies() throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (TritonServer server = TritonServer.start(repository)) {
      Invocation done = compare(server, "2");
      assertThat(done.code()).as(done.err()).isZero();
      assertSplit(json(), server);
      Files.delete(own.resolve("out.json"));

      Future<Invocation> run = thread.submit(() -> compare(server, "1000000"));
      long before = inferences(server);
      Eventually.until(
          "four more rounds", // three were of a warm-up and 2 rounds
          () -> {
            assertThat(run.isDone()).as("ended early").isFalse();
            return inferences(server) >= before + before / 3 * 4;
          });
      server.kill();
      assertDead(run.get(), server);
    } finally {
      thread.shutdown();
    }
  }

  private static void assertSplit(JsonNode json, TritonServer server) {
    JsonNode here = json.path("variants").path(0);
    JsonNode there = json.path("variants").path(1);
    assertThat(there.path("description").asText()).endsWith("Triton at " + server.address());
    assertThat(json.path("machine").path("runtime").asText())
        .contains("ONNX Runtime", "Triton 2.51.0 at " + server.address());
    assertThat(there.path("psnr").isNull() || there.path("psnr").asDouble() > 80).isTrue();
    assertThat(here.path("wireBytesPerPicture").asDouble()).isZero();
    // 20 steps, guidance's two rows, each 12 kB there and back, and cached outputs besides.
    assertThat(there.path("wireBytesPerPicture").asDouble()).isGreaterThan(20 * 2 * 2 * 12288.0);
    assertThat(there.path("peakCacheBytes").asLong())
        .isEqualTo(here.path("peakCacheBytes").asLong())
        .isPositive();
    for (String part : List.of("blocks", "transfer", "sampler_and_guidance")) {
      assertThat(there.path("timeMillis").path(part).asDouble()).as(part).isPositive();
    }
    assertThat(here.path("timeMillis").path("transfer").asDouble()).isZero();
  }

  private void assertDead(Invocation done, TritonServer server) throws Exception {
    assertThat(done.code()).isEqualTo(1);
    assertThat(done.err())
        .contains("note: there failed in round ", server.address())
        .doesNotContain("error:");
    JsonNode json = json();
    assertThat(json.path("notes").path(0).asText())
        .contains("Variant b (there) failed in round", "Triton server " + server.address());
    JsonNode there = json.path("variants").path(1);
    assertThat(there.path("fault").asText()).contains(server.address());
    assertThat(there.path("rounds").asInt()).isPositive();
    assertThat(there.path("speedup").path("value").asDouble()).isPositive();
    assertThat(Files.readString(own.resolve("out.html"))).contains("failed in round");
  }

  private static long inferences(TritonServer server) throws Exception {
    return server
        .metrics()
        .lines()
        .filter(line -> line.matches("nv_inference_count\\{model=\"shapes-dit-taylor-2-.*"))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }
}
