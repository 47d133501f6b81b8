package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A repository that an older version wrote draws what it drew with that version. */
class Format1Test {
  private static final Path FOLDER = Path.of("tests/repositories/format-1");

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
                .open();
        Checkpoint expected = Checkpoint.open(latents)) {
      assertThat(pipeline.generate(request).latents().values())
          .isEqualTo(Golden.floats(expected, "latents"));
    }
  }
}
