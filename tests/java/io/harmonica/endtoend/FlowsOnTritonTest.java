package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.Golden;
import io.harmonica.Sd3Folder;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Prompt;
import io.harmonica.generate.Request;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.router.Fora;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampling;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stable Diffusion 3 and FLUX on a real server: two streams cross its engines, outputs of branches
 * differ in size, several text encoders answer, several steps go in one request.
 */
@Tag("triton")
class FlowsOnTritonTest {
  private static final int STEPS = 5;
  private static final int SIZE = 2; // steps of one request

  /** Absolute, on latents of up to some tens: both sides run ONNX Runtime. */
  private static final double TOLERANCE = 1e-3;

  @TempDir Path folder;

  private Path repository() {
    return folder.resolve("models");
  }

  @Test
  void latents_areThoseOfThisProcess() throws Exception {
    exportFlux();
    exportSd3();
    List<Prompt> prompts = List.of(Prompt.of("a cat", "a hill"), Prompt.of("wow!'s"));
    for (int steps : new int[] {1, SIZE}) {
      List<float[]> here = new ArrayList<>();
      try (Pipeline flux = open("flux", steps);
          Pipeline sd3 = open("sd3", steps)) {
        drawn(flux, sd3, prompts, here);
      }
      List<float[]> there = new ArrayList<>();
      try (TritonServer server = TritonServer.start(repository());
          Pipeline flux = connect(server, "flux", steps);
          Pipeline sd3 = connect(server, "sd3", steps)) {
        drawn(flux, sd3, prompts, there);
      }
      for (int i = 0; i < here.size(); i++) {
        assertThat(there.get(i)).hasSameSizeAs(here.get(i));
        for (int j = 0; j < here.get(i).length; j++) {
          assertThat(there.get(i)[j]).isCloseTo(here.get(i)[j], within((float) TOLERANCE));
        }
      }
    }
  }

  private Pipeline open(String model, int steps) {
    return Pipeline.builder(model).repository(repository()).stepsPerRequest(steps).open();
  }

  private static Pipeline connect(TritonServer server, String model, int steps) {
    return Pipeline.builder(model).triton(server.address()).stepsPerRequest(steps).open();
  }

  private static void drawn(
      Pipeline flux, Pipeline sd3, List<Prompt> prompts, List<float[]> latents) {
    Request request = Request.of(texts()).withSteps(STEPS);
    latents.add(flux.generate(request).latents().values());
    latents.add(flux.generate(request.withRouter("fora")).latents().values());
    Content.Texts embedded = sd3.embed(prompts, Prompt.of(""), text -> {});
    latents.add(embedded.positive().values());
    latents.add(embedded.positive().pooled());
    latents.add(sd3.generate(Request.of(embedded).withSteps(STEPS)).latents().values());
  }

  private static Content texts() {
    try (Checkpoint vectors = Golden.open("flux/dev/traj_plain.safetensors")) {
      Embeddings texts = Golden.texts(vectors, "prompt_embeds", "pooled_prompt_embeds");
      return new Content.Texts(texts, Optional.empty());
    }
  }

  private void exportFlux() {
    try (Checkpoint source = Golden.open("flux/dev")) {
      Choices choices = Choices.NONE.withResolution(new Resolution(48, 80)).withTextTokens(7);
      Model model = Model.of(source, choices);
      Sampling sampling = model.denoiser().io().sampling();
      Router fora = Exports.router("fora", new Fora(2), model, sampling, STEPS);
      ExportOptions options =
          ExportOptions.of("flux").withBlocksPerEngine(2).withStepsPerRequest(SIZE);
      new Exporter(model, List.of(fora), options).export(repository());
    }
  }

  private void exportSd3() throws IOException {
    Path pipeline = Sd3Folder.write(folder.resolve("sd3"));
    Invocation done =
        Invocation.export(
            ("--checkpoint %s --resolution 12x20 --text-tokens 26 --steps-per-request %d"
                    + " --model-repository %s")
                .formatted(pipeline, SIZE, repository())
                .split(" "));
    assertThat(done.err()).isEmpty();
  }
}
