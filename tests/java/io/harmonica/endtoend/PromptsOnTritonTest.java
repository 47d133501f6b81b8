package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.cli.Invocation;
import io.harmonica.cli.PipelineFolder;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A served text encoder: its client needs neither the tokenizer's file nor another model's name.
 */
@Tag("triton")
class PromptsOnTritonTest {
  private static final List<String> TEXTS = List.of("a red lantern", "An old bridge.", "");

  @TempDir Path folder;

  @Test
  void prompts_areEmbeddedAndDrawn_asInThisProcess() throws Exception {
    Path pipeline = PipelineFolder.in(folder.resolve("pixart")).path();
    Path repository = folder.resolve("models");
    String[] export = {
      "--checkpoint",
      pipeline.toString(),
      "--text-tokens",
      "12",
      "--blocks-per-engine",
      "all",
      "--model-repository",
      repository.toString()
    };
    Invocation exported = Invocation.export(export);
    assertThat(exported.err()).isEmpty();
    try (TritonServer server = TritonServer.start(repository);
        Pipeline here = Pipeline.open(repository, "pixart");
        Pipeline there = Pipeline.connect(server.address(), "pixart")) {
      Content.Texts expected = here.prompts(TEXTS, "x", warning -> {});
      Content.Texts served = there.prompts(TEXTS, "x", warning -> {});
      assertThat(served.positive().mask()).isEqualTo(expected.positive().mask());
      Golden.assertClose("texts", served.positive().values(), expected.positive().values(), 1e-4);
      Invocation drawn =
          Invocation.of(
              "generate",
              "--triton",
              server.address(),
              "--model",
              "pixart",
              "--steps",
              "2",
              "--prompt",
              "a red lantern",
              "--out",
              folder.resolve("drawn").toString());
      assertThat(drawn.err()).isEmpty();
      assertThat(folder.resolve("drawn/0000-text0.png")).exists();
    }
  }
}
