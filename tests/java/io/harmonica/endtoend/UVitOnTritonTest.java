package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Fora;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampling;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** U-ViTs on a real server: skips cross its engines, times are decimal, labels may be missing. */
@Tag("triton")
class UVitOnTritonTest {
  private static final int STEPS = 6;

  /** Absolute, on latents of up to some hundreds: both sides run ONNX Runtime. */
  private static final double TOLERANCE = 1e-3;

  @TempDir Path repository;

  @Test
  void latents_areThoseOfThisProcess() throws Exception {
    export("classes", new UVitVectors("uvit/class-noconv"), 2);
    export("nothing", new UVitVectors("uvit/uncond"), 0);
    List<Request> requests =
        List.of(
            Request.of(List.of(3, 7)).withSteps(STEPS),
            Request.of(List.of(3, 7)).withRouter("fora"),
            Request.of(Content.anything(2)).withRouter("fora"));
    List<float[]> here = requests.stream().map(this::drawnHere).toList();
    try (TritonServer server = TritonServer.start(repository);
        Pipeline classes = Pipeline.connect(server.address(), "classes");
        Pipeline nothing = Pipeline.connect(server.address(), "nothing")) {
      for (int i = 0; i < requests.size(); i++) {
        Pipeline there = i < 2 ? classes : nothing;
        float[] latents = there.generate(requests.get(i)).latents().values();
        assertThat(latents).hasSameSizeAs(here.get(i));
        for (int j = 0; j < latents.length; j++) {
          assertThat(latents[j]).isCloseTo(here.get(i)[j], within((float) TOLERANCE));
        }
      }
    }
  }

  private float[] drawnHere(Request request) {
    String model = request.content() instanceof Content.Anything ? "nothing" : "classes";
    try (Pipeline pipeline = Pipeline.open(repository, model)) {
      return pipeline.generate(request).latents().values();
    }
  }

  private void export(String name, UVitVectors vectors, int blocksPerEngine) {
    try (Checkpoint source = Checkpoint.open(vectors.checkpoint())) {
      Model model = Model.of(source, vectors.choices());
      Sampling sampling = model.denoiser().io().sampling();
      Router fora = Exports.router("fora", new Fora(2), model, sampling, STEPS);
      ExportOptions options = ExportOptions.of(name).withBlocksPerEngine(blocksPerEngine);
      new Exporter(model, List.of(fora), options).export(repository);
    }
  }
}
