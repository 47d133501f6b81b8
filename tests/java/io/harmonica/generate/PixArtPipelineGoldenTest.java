package io.harmonica.generate;

import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole trajectories of every flavour against diffusers' PixArt pipelines. */
@Tag("golden")
class PixArtPipelineGoldenTest {
  private static final Pattern RUN = Pattern.compile("steps(\\d+)\\.x");

  @TempDir Path folder;

  static Stream<String> flavours() throws IOException {
    try (Stream<Path> folders = Files.list(path("pixart"))) {
      return folders.map(flavour -> "pixart/" + flavour.getFileName()).sorted().toList().stream();
    }
  }

  /** The model has tokens for alpha or Sigma here, 120 or 300: padding changes nothing. */
  @ParameterizedTest
  @MethodSource("flavours")
  void everyFlavour_everyStep(String flavour) {
    try (Checkpoint vectors = Golden.open(flavour + "/pipeline.safetensors")) {
      Resolution size =
          new Resolution(8 * size(vectors, "latents", 2), 8 * size(vectors, "latents", 3));
      try (Checkpoint source = Checkpoint.open(path(flavour))) {
        Model model = Model.of(source, Choices.NONE.withResolution(size));
        new Exporter(model, List.of(), ExportOptions.of("pixart")).export(folder);
      }
      Request request =
          Request.of(List.of(0))
              .withContent(prompts(flavour)) // guided as the model, not as one of classes
              .withLatents(PipelineGoldenTest.latents(vectors, "latents"));
      int runs = 0;
      try (Pipeline pipeline = Pipeline.open(folder, "pixart")) {
        assertThat(pipeline.guidanceScale(request.style()))
            .isEqualTo(Golden.json(flavour + "/pipeline.json").path("guidance_scale").asDouble());
        assertThat(pipeline.roles(request.style())).containsKey("pixart"); // whatever it shows
        for (String name : vectors.names()) {
          Matcher run = RUN.matcher(name);
          if (run.matches()) {
            PipelineGoldenTest.check(
                pipeline,
                request.withSteps(Integer.parseInt(run.group(1))),
                floats(vectors, name),
                1,
                new ArrayList<>());
            runs++;
          }
        }
      }
      assertThat(runs).isPositive();
    }
  }

  static Content.Texts prompts(String flavour) {
    try (Checkpoint vectors = Golden.open(flavour + "/pipeline.safetensors")) {
      return new Content.Texts(
          embeddings(vectors, ""), Optional.of(embeddings(vectors, "negative_")));
    }
  }

  private static Embeddings embeddings(Checkpoint vectors, String prefix) {
    String states = prefix + "prompt_embeds";
    return new Embeddings(
        floats(vectors, states),
        longs(vectors, prefix + "prompt_attention_mask"),
        size(vectors, states, 0),
        size(vectors, states, 1),
        size(vectors, states, 2));
  }
}
