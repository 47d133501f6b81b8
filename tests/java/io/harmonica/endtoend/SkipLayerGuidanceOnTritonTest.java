package io.harmonica.endtoend;

import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.size;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.runtime.Statistics;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.SkipLayerGuidance;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Skip-layer guidance on a real server, uncached and with a router that reuses, both ways there.
 */
@Tag("triton")
class SkipLayerGuidanceOnTritonTest {
  private static final String FLAVOUR = "sd3/sd35-medium";
  private static final int STEPS = 6;

  @TempDir Path folder;

  private final JsonNode run = Golden.json(FLAVOUR + "/pipeline.json");

  @Test
  void latents_areDiffusers_andRoutedThoseOfThisProcess() throws Exception {
    try (Checkpoint vectors = Golden.open(FLAVOUR + "/traj_skip_layer_guidance.safetensors")) {
      export(vectors);
      Request request = request(vectors);
      float[] states = floats(vectors, "x");
      float[] last = Arrays.copyOfRange(states, states.length / (STEPS + 1) * STEPS, states.length);
      float[] routed;
      try (Pipeline here = Pipeline.open(folder, "sd3")) {
        routed = here.generate(request.withRouter("taylor")).latents().values();
        assertThat(Golden.difference(routed, last)).isGreaterThan(1e-3);
      }
      try (TritonServer server = TritonServer.start(folder)) {
        for (SharedMemory shared : List.of(SharedMemory.ON, SharedMemory.OFF)) {
          ServerOptions options = ServerOptions.DEFAULTS.withSharedMemory(shared);
          try (Pipeline there = Pipeline.connect(server.address(), "sd3", options)) {
            Statistics before = there.statistics();
            float[] found = there.generate(request).latents().values();
            Golden.assertClose(shared + " uncached", found, last, trajectoryTolerance(last));
            String pass = "sd3-skip-layers" + (shared == SharedMemory.ON ? "-conditioned" : "");
            assertThat(there.statistics().minus(before).models().get(pass).count()).isEqualTo(2);
            found = there.generate(request.withRouter("taylor")).latents().values();
            Golden.assertClose(shared + " routed", found, routed, trajectoryTolerance(routed));
          }
        }
      }
    }
  }

  private void export(Checkpoint vectors) {
    try (Checkpoint source = Golden.open(FLAVOUR)) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      Sampling sampling = Exports.sampling(model, FLAVOUR);
      Router taylor = Exports.router("taylor", new Taylor(2, 1), model, sampling, STEPS);
      new Exporter(model, List.of(taylor), ExportOptions.of("sd3").withBlocksPerEngine(2))
          .withSkipLayers(Set.of(1, 2))
          .withSampling(sampling)
          .export(folder);
    }
  }

  private Request request(Checkpoint vectors) {
    Embeddings negative =
        Golden.texts(vectors, "negative_prompt_embeds", "negative_pooled_prompt_embeds");
    Embeddings positive = Golden.texts(vectors, "prompt_embeds", "pooled_prompt_embeds");
    int[] shape = {0, 1, 2, 3};
    for (int i = 0; i < shape.length; i++) {
      shape[i] = size(vectors, "latents", i);
    }
    float[] noise = floats(vectors, "latents");
    return Request.of(new Content.Texts(positive, Optional.of(negative)))
        .withSteps(STEPS)
        .withGuidance(run.path("guidance_scale").asDouble())
        .withSkipLayerGuidance(new SkipLayerGuidance(2.8, 0.01, 0.4))
        .withLatents(new Latents(noise, shape[0], shape[1], shape[2], shape[3]));
  }
}
