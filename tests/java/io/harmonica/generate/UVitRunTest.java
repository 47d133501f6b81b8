package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.difference;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.origin.Model;
import io.harmonica.router.Fora;
import io.harmonica.router.Grain;
import io.harmonica.router.Grained;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.sampler.Sampling;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs across the long skips of a U-ViT: the same pictures, whatever engines it is cut into. */
@Tag("golden")
class UVitRunTest {
  private static final UVitVectors VECTORS = new UVitVectors("uvit/class-noconv");
  private static final int STEPS = 6;

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(Grain.class)
  void latents_areThoseOfWholeSteps(Grain grain) {
    for (Policy policy : List.of(new Fora(2), new Taylor(2, 1))) {
      Policy grained = grain == Grain.BRANCH ? policy : Grained.of(policy, grain);
      float[] expected = drawn(grained, EngineSize.STEP);
      double tolerance = trajectoryTolerance(expected);
      for (EngineSize engines :
          List.of(EngineSize.BRANCH, EngineSize.ofBlocks(1), EngineSize.ofBlocks(2))) {
        assertClose(grain + " by " + engines, drawn(grained, engines), expected, tolerance);
      }
      assertThat(difference(expected, uncached())).isGreaterThan(20 * tolerance);
    }
  }

  private float[] uncached() {
    return draw(Request.of(List.of(3, 7)).withSteps(STEPS));
  }

  private float[] drawn(Policy policy, EngineSize engines) {
    try (Checkpoint source = Checkpoint.open(VECTORS.checkpoint())) {
      Model model = Model.of(source, VECTORS.choices());
      Sampling sampling = model.denoiser().io().sampling();
      Router router =
          policy.router(
              "r",
              model.denoiser().architecture(),
              sampling.sampler(),
              sampling.sampler(sampling.sampler(), STEPS, Optional.empty()).timesteps(),
              model.denoiser().branchNames());
      ExportOptions options = ExportOptions.of("uvit").withEngines(engines).withForce(true);
      new Exporter(model, List.of(router), options).export(folder.resolve("models"));
    }
    return draw(Request.of(List.of(3, 7)).withRouter("r"));
  }

  private float[] draw(Request request) {
    try (Pipeline pipeline = Pipeline.open(folder.resolve("models"), "uvit")) {
      return pipeline.generate(request).latents().values();
    }
  }
}
