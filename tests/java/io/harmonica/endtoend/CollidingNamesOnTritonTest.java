package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Model {@code a} with router {@code b-c} and model {@code a-b} with router {@code c}: both would
 * have an ensemble {@code a-b-c-route00}.
 */
@Tag("triton")
class CollidingNamesOnTritonTest {
  @TempDir static Path folder;

  private static TritonServer server;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      ExportOptions whole = ExportOptions.of("a").withBlocksPerEngine(0);
      new Exporter(model, List.of(router(model, "b-c")), whole).export(repository);
      ExportOptions other = ExportOptions.of("a-b").withBlocksPerEngine(0);
      new Exporter(model, List.of(router(model, "d")), other).export(repository);
      router(model, "c").write(folder.resolve("c.json"));
      router(model, "b-c").write(folder.resolve("b-c.json"));
    }
    server = TritonServer.start(repository);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static Router router(Model model, String name) {
    boolean[][] computes = new boolean[2][model.denoiser().branches().size()];
    java.util.Arrays.fill(computes[0], true);
    return Exports.router(
        name, model, io.harmonica.sampler.Spacing.LEADING.timesteps(2, 1000), computes, Reuse.LAST);
  }

  private static Invocation deploy(String model, String router) {
    return on("deploy", model, folder.resolve(router + ".json").toString());
  }

  private static Invocation on(String command, String model, String router) {
    return Invocation.of(
        command, "--triton", server.address(), "--model", model, "--router", router);
  }

  private static void assertRefused(Invocation invocation, String said) {
    assertThat(invocation.err()).startsWith("error: ").contains(said).hasLineCount(1);
    assertThat(invocation.code()).isEqualTo(1);
  }

  private static void assertDraws(String model, String router) {
    Request request = Request.of(List.of(1)).withRouter(router);
    try (Pipeline pipeline = Pipeline.connect(server.address(), model)) {
      float[] routed = pipeline.generate(request).latents().values();
      assertThat(routed).isNotEmpty();
    }
  }

  @Test
  void neitherModelLosesAnything() {
    String taken =
        "router 'c' of model a-b needs the name 'a-b-c-route00', which Triton server "
            + server.address()
            + " has already (it is part of model a): give the router another name";
    assertRefused(deploy("a-b", "c"), taken);
    assertRefused(on("undeploy", "a-b", "c"), "has no router 'c', it has d");
    assertDraws("a", "b-c");

    // Not loaded, it still is model a's.
    assertThat(on("undeploy", "a", "b-c").code()).isZero();
    assertRefused(deploy("a-b", "c"), taken);
    assertThat(deploy("a", "b-c").code()).isZero();
    assertDraws("a", "b-c");
    assertDraws("a-b", "d");

    String status = Invocation.of("status", "--triton", server.address()).out();
    assertThat(status).contains("router b-c", "router d").doesNotContain("router c");
  }
}
