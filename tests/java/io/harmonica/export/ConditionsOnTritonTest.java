package io.harmonica.export;

import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.deploy.Deployment;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.router.Fora;
import io.harmonica.router.Router;
import io.harmonica.runtime.Statistics;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonRuntime;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conditions in several engines, as those of FLUX.1-dev, on a server that shares memory. */
@Tag("triton")
class ConditionsOnTritonTest {
  private static final int STEPS = 5;

  /** Absolute: both sides run ONNX Runtime. */
  private static final double TOLERANCE = 1e-3;

  @TempDir Path folder;

  @Test
  void eachEngine_runsOnceForAllSteps_withADeployedRouterToo() throws Exception {
    Request request;
    Router fora;
    try (Checkpoint io = Golden.open("flux/dev/io.safetensors");
        Checkpoint source = Golden.open("flux/dev")) {
      Choices choices =
          Choices.NONE
              .withResolution(
                  new Resolution(8 * size(io, "latents", 2), 8 * size(io, "latents", 3)))
              .withTextTokens(size(io, "encoder_hidden_states", 1));
      Model model = Model.of(source, choices);
      Embeddings texts = Golden.texts(io, "encoder_hidden_states", "pooled_projections");
      request = Request.of(new Content.Texts(texts, Optional.empty())).withSteps(STEPS);
      fora = Exports.router("fora", new Fora(2), model, model.denoiser().io().sampling(), STEPS);
      ExportOptions options = ExportOptions.of("flux").withEngines(EngineSize.BRANCH);
      new Exporter(model, List.of(), options, 100_000).export(folder.resolve("server"));
      new Exporter(model, List.of(fora), options, 100_000).export(folder.resolve("here"));
    }
    ServerOptions shared = ServerOptions.DEFAULTS.withSharedMemory(SharedMemory.ON);
    try (TritonServer server = TritonServer.start(folder.resolve("server"));
        Pipeline here = Pipeline.open(folder.resolve("here"), "flux")) {
      try (Pipeline there = Pipeline.connect(server.address(), "flux", shared)) {
        Statistics before = there.statistics();
        float[] found = there.generate(request).latents().values();
        float[] expected = here.generate(request).latents().values();
        Golden.assertClose("uncached", found, expected, TOLERANCE);
        Statistics own = there.statistics().minus(before);
        assertThat(own.models().get("flux-conditioned").count()).isEqualTo(STEPS);
        assertThat(own.models())
            .hasEntrySatisfying("flux-condition-00", one -> assertThat(one.count()).isOne())
            .hasEntrySatisfying("flux-condition-02", one -> assertThat(one.count()).isOne());
      }
      try (TritonRuntime admin = TritonRuntime.connect(server.address())) {
        assertThat(new Deployment(server.address(), admin, "flux").deploy(fora, false))
            .contains("flux-fora-route01-conditioned");
      }
      try (Pipeline there = Pipeline.connect(server.address(), "flux", shared)) {
        float[] found = there.generate(request.withRouter("fora")).latents().values();
        float[] expected = here.generate(request.withRouter("fora")).latents().values();
        Golden.assertClose("routed", found, expected, TOLERANCE);
      }
    }
  }
}
