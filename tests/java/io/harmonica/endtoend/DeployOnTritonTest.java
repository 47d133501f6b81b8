package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Routers come and go on a real server. */
@Tag("triton")
class DeployOnTritonTest {
  @TempDir static Path folder;

  private static Model model;
  private static Checkpoint checkpoint;
  private static Path repository;
  private static Path complete;
  private static TritonServer server;

  @TempDir Path own;

  /** Exports with a router that brings all the variants, and again with all routers, to compare. */
  @BeforeAll
  static void serve() throws Exception {
    checkpoint = Checkpoint.open(Checkpoints.DIT);
    model = Exports.model(checkpoint);
    Router first = router("first", "x.x.", Reuse.LAST);
    repository = folder.resolve("repository");
    complete = folder.resolve("complete");
    ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(2).withStepsPerRequest(2);
    new Exporter(model, List.of(first), options)
        .withDigest(Digest.of(checkpoint))
        .export(repository);
    List<Router> all = List.of(first, router("second", "x..x", Reuse.LAST));
    new Exporter(model, all, options).export(complete);
    server = TritonServer.start(repository);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
    checkpoint.close();
  }

  private static Router router(String name, String rows, Reuse reuse) {
    boolean[][] computes = new boolean[rows.length()][model.denoiser().branches().size()];
    for (int s = 0; s < computes.length; s++) {
      Arrays.fill(computes[s], rows.charAt(s) == 'x');
    }
    List<Integer> timesteps = Spacing.LEADING.timesteps(rows.length(), 1000);
    return Exports.router(name, model, timesteps, computes, reuse);
  }

  private Path file(Router router) {
    Path file = own.resolve(router.name() + ".json");
    router.write(file);
    return file;
  }

  private static Invocation on(TritonServer at, String command, String... more) {
    List<String> words =
        new ArrayList<>(List.of(command, "--triton", at.address(), "--model", "dit"));
    words.addAll(List.of(more));
    return Invocation.of(words.toArray(String[]::new));
  }

  private Invocation deploy(Router router, String... more) {
    List<String> words = new ArrayList<>(List.of("--router", file(router).toString()));
    words.addAll(List.of(more));
    return on(server, "deploy", words.toArray(String[]::new));
  }

  private static void assertRefused(Invocation invocation, String... said) {
    assertThat(invocation.err()).startsWith("error: ").contains(said).hasLineCount(1);
    assertThat(invocation.code()).isEqualTo(1);
  }

  private static JsonNode status() throws Exception {
    Invocation asked = Invocation.of("status", "--triton", server.address(), "--json");
    assertThat(asked.code()).as(asked.err()).isZero();
    return new ObjectMapper().readTree(asked.out()).path(0);
  }

  private static Pipeline served(TritonServer by, int stepsPerRequest) {
    return Pipeline.builder("dit").triton(by.address()).stepsPerRequest(stepsPerRequest).open();
  }

  @Test
  void router_isDeployed_used_shown_andUndeployed() throws Exception {
    Router second = router("second", "x..x", Reuse.LAST);
    Invocation done = deploy(second);
    assertThat(done.code()).as(done.err()).isZero();
    assertThat(done.out()).contains(server.address() + " has router second: 8 ensembles loaded");

    Request request = Request.of(List.of(2, 1)).withRouter("second").withGuidance(4);
    try (Pipeline served = served(server, 1);
        Pipeline together = served(server, 2);
        Pipeline exported = Pipeline.open(complete, "dit")) {
      assertThat(served.manifest().routers()).containsOnlyKeys("first", "second");
      float[] expected = exported.generate(request).latents().values();
      Golden.assertClose("latents", served.generate(request).latents().values(), expected, 1e-5);
      Golden.assertClose("latents", together.generate(request).latents().values(), expected, 1e-4);
      Request uncached = request.withRouter("none").withSteps(4);
      Golden.assertClose(
          "latents",
          served.generate(uncached).latents().values(),
          exported.generate(uncached).latents().values(),
          1e-5);
    }

    JsonNode status = status();
    assertThat(status.path("ready").asBoolean()).isTrue();
    JsonNode dit = status.path("models").path(0);
    assertThat(dit.path("name").asText()).isEqualTo("dit");
    assertThat(dit.path("digest").asText()).isEqualTo(Digest.of(checkpoint));
    assertThat(dit.path("routers").path(1).path("name").asText()).isEqualTo("second");
    assertThat(dit.path("routers").path(1).path("ready").asInt()).isEqualTo(3);
    assertThat(dit.at("/routers/1/requests/count").asInt()).isEqualTo(6); // 4 of a step, 2 of two
    String text = Invocation.of("status", "--triton", server.address()).out();
    assertThat(text).contains("router second", "6 requests", "3 of 3 routes loaded", "READY");

    Invocation again = deploy(second); // again and again is fine
    assertThat(again.code()).as(again.err()).isZero();
    assertRefused(deploy(router("second", "xx.x", Reuse.LAST)), "has another router 'second'");

    Invocation undone = on(server, "undeploy", "--router", "second");
    assertThat(undone.code()).as(undone.err()).isZero();
    assertThat(undone.out()).contains("has router second no more: 8 ensembles unloaded");
    assertRefused(
        on(server, "undeploy", "--router", "second"), "has no router 'second', it has first");
    try (Pipeline served = Pipeline.connect(server.address(), "dit")) {
      assertThat(served.manifest().routers()).containsOnlyKeys("first");
      served.generate(request.withRouter("first"));
    }
  }

  /** As exported before configurations stated what they are there for. */
  @Test
  void repositoryWithoutRoles_isServedToo() throws Exception {
    Path old = own.resolve("old");
    ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0).withStepsPerRequest(2);
    new Exporter(model, List.of(router("first", "x.x.", Reuse.LAST)), options).export(old);
    Exports.removeRoles(old);
    try (TritonServer elder = TritonServer.start(old)) {
      Router second = router("second", "x..x", Reuse.LAST);
      Invocation done = on(elder, "deploy", "--router", file(second).toString());
      assertThat(done.out()).as(done.err()).contains("has router second: 5 ensembles loaded");
      Request request = Request.of(List.of(2, 1)).withRouter("second").withGuidance(4);
      try (Pipeline served = served(elder, 1);
          Pipeline exported = Pipeline.open(complete, "dit")) {
        Golden.assertClose(
            "latents",
            served.generate(request).latents().values(),
            exported.generate(request).latents().values(),
            1e-5);
      }
      String status = Invocation.of("status", "--triton", elder.address()).out();
      assertThat(status).contains("router first", "2 of 2 routes loaded", "4 requests");
      Invocation exportedOne = on(elder, "undeploy", "--router", "first");
      assertThat(exportedOne.out()).as(exportedOne.err()).contains("3 ensembles unloaded");
      assertThat(on(elder, "undeploy", "--router", "second").out())
          .contains("5 ensembles unloaded");
    }
  }

  @Test
  void routerWhoseEnginesAreMissing_saysWhichAndHowToExportThem() throws Exception {
    assertRefused(
        deploy(router("forecast", "x.x.", Reuse.LINEAR)),
        "lacks 2 engines that router 'forecast' needs: dit-block00-01-2222, dit-block02-22;",
        "harmonica-export",
        "--model-name dit");
    assertThat(status().at("/models/0/routers")).hasSize(1);
  }

  @Test
  void routerOfOtherWeights_isRefused_unlessInsisted() {
    Router other = router("other", "x..x", Reuse.LAST);
    other.training().put("checkpoint", "0123456789abcdef");
    assertRefused(
        deploy(other),
        "was trained on weights with digest 0123456789abcdef",
        Digest.of(checkpoint),
        "--any-weights");
    assertThat(deploy(other, "--any-weights").code()).isZero();
    assertThat(on(server, "undeploy", "--router", "other").code()).isZero();
  }

  @Test
  void routerThatNothingDrawsWith_isRefused() {
    boolean[][] all = new boolean[4][model.denoiser().branches().size()];
    Arrays.fill(all[0], true);
    List<Integer> odd = List.of(900, 600, 300, 0);
    assertRefused(
        deploy(Exports.router("odd", model, odd, all, Reuse.LAST)),
        "router odd is for timesteps [900, 600, 300, 0], which ddim takes with no --spacing");
  }

  /** No engine makes its sampler's steps, so there are none of several. */
  @ParameterizedTest
  @CsvSource({"dpm-solver++, 8", "sa-solver, 6"}) // ensembles: of several steps too, or not
  void routerOfAnotherSampler_isDeployedForTheStepsThatItsEngineMakes(
      String sampler, int ensembles) {
    Router steps = router("solver", "x..x", Reuse.LAST);
    Router solver =
        Exports.forSampler(steps, sampler, Spacing.LINSPACE.solverTimesteps(steps.steps(), 1000));
    Invocation done = deploy(solver);
    assertThat(done.out())
        .as(done.err())
        .contains("has router solver: %d ensembles loaded".formatted(ensembles));
    Request request = Request.of(List.of(2)).withRouter("solver").withGuidance(4).withSeed(1);
    try (Pipeline two = served(server, 2);
        Pipeline one = served(server, 1)) {
      float[] together = two.generate(request).latents().values();
      float[] alone = one.generate(request).latents().values();
      Golden.assertClose("latents", together, alone, Golden.trajectoryTolerance(alone));
    }
    assertThat(on(server, "undeploy", "--router", "solver").code()).isZero();
  }

  @Test
  void serverWithoutModelControl_isToldWhatItLacks() throws Exception {
    try (TritonServer fixed = TritonServer.start(repository, "--model-control-mode=none")) {
      Router second = router("second", "x..x", Reuse.LAST);
      assertRefused(
          on(fixed, "deploy", "--router", file(second).toString()),
          "does not load models on request: start it with --model-control-mode=explicit");
    }
  }

  @Test
  void modelThatIsNone_isRefused() {
    Router second = router("second", "x..x", Reuse.LAST);
    assertRefused(
        Invocation.of(
            "deploy",
            "--triton",
            server.address(),
            "--model",
            "dit-head",
            "--router",
            file(second).toString()),
        "is only a part of a model: name dit");
  }
}
