package io.harmonica.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Latents;
import io.harmonica.model.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.sampler.Betas;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Predicts;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Triton's own Python client, which knows nothing of us, draws what our client draws. */
class PlainClientTest {
  private static final int STEPS = 10;

  @TempDir static Path folder;

  private static TritonServer server;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Golden.open("dit")) {
      Model model = Exports.model(checkpoint);
      boolean[][] computes = new boolean[STEPS][model.denoiser().branches().size()];
      for (int s = 0; s < STEPS; s++) {
        for (int b = 0; b < computes[s].length; b++) {
          computes[s][b] = s == 0 || (s + b / 3) % 2 == 0;
        }
      }
      Router router =
          Exports.router("r", model, Spacing.LEADING.timesteps(STEPS, 1000), computes, Reuse.LAST);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, List.of(router), options).export(folder.resolve("repository"));
      Diffusion other = new Diffusion(1000, Betas.SCALED_LINEAR, 0.00085, 0.012, Predicts.VELOCITY);
      ExportOptions velocity = ExportOptions.of("velocity").withBlocksPerEngine(0);
      new Exporter(model, List.of(router), velocity.withForce(true))
          .withSampling(Sampling.of(other, "ddim", Spacing.LEADING, true))
          .export(folder.resolve("repository"));
    }
    server = TritonServer.start(folder.resolve("repository"));
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
    TensorFiles.save(new Latents(values, 2, 4, 8, 8), file);
    return file;
  }

  private record Answer(int code, String said) {}

  private Answer plainClient(String model, String router, Path start, Path expected)
      throws Exception {
    Process client =
        new ProcessBuilder(
                "tests/triton/client.sh",
                server.address(),
                model,
                router,
                "1,2",
                "4",
                start.toString(),
                expected.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(client.getInputStream().readAllBytes(), UTF_8);
    return new Answer(client.waitFor(), said);
  }

  private Path ours(String model, String router, Path start) {
    Path latents = own.resolve("ours.safetensors");
    Invocation done =
        Invocation.of(
            "generate",
            "--triton",
            server.address(),
            "--model",
            model,
            "--router",
            router,
            "--classes",
            "1,2",
            "--guidance",
            "4",
            "--latents",
            start.toString(),
            "--save-latents",
            latents.toString(),
            "--out",
            own.resolve("out").toString());
    assertThat(done.code()).as(done.err()).isZero();
    return latents;
  }

  @ParameterizedTest
  @CsvSource({"dit, none", "dit, r", "velocity, none", "velocity, r"})
  void baseAndRoutes_giveOurNumbers(String model, String router) throws Exception {
    Path start = noise("start.safetensors", 1);
    Answer answer = plainClient(model, router, start, ours(model, router, start));
    assertThat(answer.said()).contains(model + ", router " + router + ": largest difference ");
    assertThat(answer.code()).as(answer.said()).isZero();
  }

  @Test
  void otherNumbers_areNoticed() throws Exception {
    Path start = noise("start.safetensors", 1);
    Answer answer = plainClient("dit", "r", start, ours("dit", "none", start));
    assertThat(answer.said()).contains("largest difference ");
    assertThat(answer.code()).isEqualTo(1);
  }
}
