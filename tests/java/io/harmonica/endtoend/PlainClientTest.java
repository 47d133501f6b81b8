package io.harmonica.endtoend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.sampler.Betas;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Predicts;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Triton's own Python client, which knows nothing of us, draws what our client draws. */
@Tag("triton")
class PlainClientTest {
  private static final int STEPS = 10;
  private static final List<String> GUIDED = List.of("--guidance", "4");

  @TempDir static Path folder;

  private static TritonServer server;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      boolean[][] computes = new boolean[STEPS][model.denoiser().branches().size()];
      for (int s = 0; s < STEPS; s++) {
        for (int b = 0; b < computes[s].length; b++) {
          computes[s][b] = s == 0 || (s + b / 3) % 2 == 0;
        }
      }
      Router router =
          Exports.router("r", model, Spacing.LEADING.timesteps(STEPS, 1000), computes, Reuse.LAST);
      Router forecast =
          Exports.router(
              "forecast", model, Spacing.LEADING.timesteps(STEPS, 1000), computes, Reuse.QUADRATIC);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      Router runs =
          Exports.router(
              "runs",
              model,
              "ddim",
              Timesteps.of(Spacing.LEADING.timesteps(STEPS, 1000)),
              computes,
              List.of(new Run(0, 2)),
              Reuse.QUADRATIC);
      new Exporter(model, List.of(router, forecast, runs), options)
          .export(folder.resolve("repository"));
      Diffusion other = new Diffusion(1000, Betas.SCALED_LINEAR, 0.00085, 0.012, Predicts.VELOCITY);
      ExportOptions velocity = ExportOptions.of("velocity").withBlocksPerEngine(0);
      new Exporter(model, List.of(router), velocity)
          .withSampling(Sampling.of(other, "ddim", Spacing.LEADING, true))
          .export(folder.resolve("repository"));
      ExportOptions solver = ExportOptions.of("solver").withBlocksPerEngine(0);
      Router solved =
          Exports.forSampler(
              forecast, "dpm-solver++", Spacing.LINSPACE.solverTimesteps(STEPS, 1000));
      new Exporter(model, List.of(solved), solver)
          .withSampling(Sampling.of(Diffusion.DDPM, "dpm-solver++", Spacing.LEADING, true))
          .export(folder.resolve("repository"));
      exportUVit();
      Model real = Model.of(checkpoint, Choices.NONE.withNoNullClass(true));
      ExportOptions beside = ExportOptions.of("real").withBlocksPerEngine(0);
      new Exporter(real, List.of(), beside).export(folder.resolve("repository"));
    }
    server = TritonServer.start(folder.resolve("repository"));
  }

  /** A model that takes any time, and a solver of several evaluations an update. */
  private static void exportUVit() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.UVIT)) {
      Model model = Exports.uVit(checkpoint, UVitSchedule.DISCRETE);
      Sampler sampler =
          model.denoiser().io().sampling().sampler("dpm-solver-fast", STEPS, Optional.empty());
      Router router = Exports.staggered("forecast", model, STEPS, 3, Reuse.LINEAR);
      router = Exports.forSampler(router, "dpm-solver-fast", sampler.timesteps());
      ExportOptions options = ExportOptions.of("uvit").withBlocksPerEngine(0);
      new Exporter(model, List.of(router), options).export(folder.resolve("repository"));
    }
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private Path noise(String name, int seed) throws Exception {
    Random random = new Random(seed);
    float[] values = new float[2 * 4 * 8 * 8];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    Path file = own.resolve(name);
    SafetensorsWriter.write(file, Map.of("latents", Floats.of(values, 2, 4, 8, 8)));
    return file;
  }

  private record Answer(int code, String said) {}

  private Answer plainClient(
      String model, String router, String guidance, Path start, Path expected) throws Exception {
    Process client =
        new ProcessBuilder(
                "tests/triton/client.sh",
                "plain_client.py",
                server.address(),
                model,
                router,
                "1,2",
                guidance,
                start.toString(),
                expected.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(client.getInputStream().readAllBytes(), UTF_8);
    return new Answer(client.waitFor(), said);
  }

  private Path ours(String model, String router, List<String> more, Path start) {
    Path latents = own.resolve("ours.safetensors");
    List<String> words = new ArrayList<>(List.of("generate", "--triton", server.address()));
    words.addAll(List.of("--model", model, "--router", router, "--classes", "1,2"));
    words.addAll(List.of("--latents", start.toString(), "--save-latents", latents.toString()));
    words.addAll(List.of("--out", own.resolve("out").toString()));
    words.addAll(more);
    Invocation done = Invocation.of(words.toArray(String[]::new));
    assertThat(done.code()).as(done.err()).isZero();
    return latents;
  }

  @ParameterizedTest
  @CsvSource({
    "dit, none, 4",
    "dit, r, 4",
    "dit, forecast, 4",
    "dit, runs, 4",
    "velocity, none, 4",
    "velocity, r, 4",
    "solver, none, 1", // one product is in another order, and guidance amplifies each rounding
    "solver, forecast, 1",
    "uvit, none, 1",
    "uvit, forecast, 1"
  })
  void baseAndRoutes_giveOurNumbers(String model, String router, String guidance) throws Exception {
    Path start = noise("start.safetensors", 1);
    Path ours = ours(model, router, List.of("--guidance", guidance), start);
    Answer answer = plainClient(model, router, guidance, start, ours);
    assertThat(answer.said()).contains(model + ", router " + router + ": largest difference ");
    assertThat(answer.code()).as(answer.said()).isZero();
  }

  @Test
  void modelWithoutNullClass_isDrawnWithoutGuidance_andRefusedWithIt() throws Exception {
    Path start = noise("start.safetensors", 1);
    Path ours = ours("real", "none", List.of(), start);
    Answer answer = plainClient("real", "none", "1", start, ours);
    assertThat(answer.said()).contains("real, router none: largest difference ");
    assertThat(answer.code()).as(answer.said()).isZero();
    Answer guided = plainClient("real", "none", "4", start, ours);
    assertThat(guided.said()).contains("model real has no null class, so guidance must be 1");
    assertThat(guided.code()).isEqualTo(1);
  }

  @Test
  void otherNumbers_areNoticed() throws Exception {
    Path start = noise("start.safetensors", 1);
    Answer answer = plainClient("dit", "r", "4", start, ours("dit", "none", GUIDED, start));
    assertThat(answer.said()).contains("largest difference ");
    assertThat(answer.code()).isEqualTo(1);
  }
}
