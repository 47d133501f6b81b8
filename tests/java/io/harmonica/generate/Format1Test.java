package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.export.Exports;
import io.harmonica.picture.Latents;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Router;
import io.harmonica.sampler.Spacing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A repository that an older version wrote draws what it drew with that version. */
class Format1Test {
  private static final Path FOLDER = Path.of("tests/repositories/format-1");

  /** Its step engine makes DDIM's steps only. */
  @Test
  void repositoryOfFormat1_drawsOtherSamplersStepByStep() {
    Request request =
        Request.of(List.of(0, 2)).withSampler("dpm-solver++").withSteps(8).withSeed(5);
    List<Integer> seen = new ArrayList<>();
    try (Pipeline far =
            Pipeline.builder("old")
                .repository(FOLDER.resolve("repository"))
                .stepsPerRequest(3)
                .open();
        Pipeline near = Pipeline.open(FOLDER.resolve("repository"), "old")) {
      assertThat(far.generate(request, step -> seen.add(step.step())).latents().values())
          .isEqualTo(near.generate(request).latents().values());
      assertThat(seen).hasSize(8);
    }
  }

  /** So a router that is deployed into it asks for what it has. */
  @Test
  void manifestOfFormat1_hasProgramsOfSeveralSteps_forRoutersOfItsEngine() throws Exception {
    Manifest manifest = Manifest.of(ConfigFile.read(FOLDER.resolve("repository/old")));
    Router ddim = Router.parse(manifest.routers().get("fora-2").toString(), "fora-2");
    assertThat(manifest.with(ddim).program("fora-2", 3)).isPresent();
    Router solver =
        Exports.forSampler(ddim, "dpm-solver++", Spacing.LINSPACE.solverTimesteps(8, 1000));
    assertThat(manifest.with(solver).program("fora-2", 3)).isEmpty();
    assertThat(manifest.with(solver).program("fora-2", 1)).isPresent();
    assertThat(manifest.steps().engine("old")).isEqualTo("old-ddim");
  }

  @ParameterizedTest
  @CsvSource({
    "none, 1",
    "none, 3",
    "fora-2, 1",
    "fora-2, 3",
    "taylor-3, 1",
    "taylor-3, 3",
    "mixed, 1",
    "mixed, 3"
  })
  void repositoryOfFormat1_drawsAsItDid(String router, int stepsPerRequest) {
    assertThat(FOLDER.resolve("repository/old/config.pbtxt"))
        .content()
        .contains("harmonica-model/1");
    Request request = Request.of(List.of(0, 2)).withRouter(router).withGuidance(2).withSeed(5);
    if (router.equals(Request.NO_ROUTER)) {
      request = request.withSteps(8);
    }
    Path latents = FOLDER.resolve("latents/%s-%d.safetensors".formatted(router, stepsPerRequest));
    assertThat(Files.exists(latents)).isTrue();
    try (Pipeline pipeline =
        Pipeline.builder("old")
            .repository(FOLDER.resolve("repository"))
            .stepsPerRequest(stepsPerRequest)
            .open()) {
      Latents then = TensorFiles.latents(latents);
      Request same = request.withLatents(start(5, then));
      assertThat(pipeline.generate(same).latents().values()).isEqualTo(then.values());
    }
  }

  /** The noise of a seed as that version drew it: Java's own generators. */
  private static Latents start(long seed, Latents like) {
    float[] values = new float[like.values().length];
    int size = values.length / like.count();
    for (int i = 0; i < like.count(); i++) {
      Random random = new Random(new SplittableRandom(seed + i).nextLong());
      for (int j = 0; j < size; j++) {
        values[i * size + j] = (float) random.nextGaussian();
      }
    }
    return new Latents(values, like.count(), like.channels(), like.height(), like.width());
  }
}
