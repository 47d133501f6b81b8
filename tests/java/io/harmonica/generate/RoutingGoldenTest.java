package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;
import static io.harmonica.Golden.path;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.Golden;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.TorchRouters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Routed trajectories with routers from HarmoniCa's own files, against its reference code. */
@Tag("golden")
class RoutingGoldenTest {
  /** Absolute, as the vectors' README states it: float64 differs by 1.8e-6. */
  private static final double OUTPUT_TOLERANCE = 1e-4;

  @TempDir Path folder;

  static Stream<Arguments> runs() throws IOException {
    try (Stream<Path> folders = Files.list(path("routing"))) {
      List<String> names =
          folders
              .filter(run -> Files.exists(run.resolve("router.pt")))
              .map(run -> "routing/" + run.getFileName())
              .sorted()
              .toList();
      assertThat(names).isNotEmpty();
      return names.stream()
          .flatMap(name -> Stream.of(1, 2, 0).map(blocks -> Arguments.of(name, blocks)));
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void harmonica_everyStep(String run, int blocksPerEngine) {
    JsonNode config = Golden.json(run + "/config.json");
    Router router = export(run, config, blocksPerEngine);
    try (Checkpoint vectors = Golden.open(run + "/io.safetensors");
        Pipeline pipeline = Pipeline.open(folder.resolve("repository"), "dit")) {
      checkDecisions(router, vectors, config);
      List<Integer> classes = integers(config.path("class_labels"));
      Request request =
          Request.of(classes)
              .withGuidance(config.path("cfg_scale").asDouble())
              .withGuidanceChannels(config.path("cfg_channels").asInt())
              // The reference carries both halves; the first is the result, and alone feeds the
              // model.
              .withLatents(PipelineGoldenTest.latents(vectors, "x_init").rows(0, classes.size()));
      List<float[]> predictions = new ArrayList<>();
      Request routed = request.withRouter(router.name());
      PipelineGoldenTest.check(pipeline, routed, floats(vectors, "infer.x"), 2, predictions);
      checkOutputs(predictions, vectors, config);
      Request uncached = request.withSteps(router.steps());
      PipelineGoldenTest.check(pipeline, uncached, floats(vectors, "full.x"), 2, new ArrayList<>());
    }
  }

  /** Exports the run's model with the run's router. */
  private Router export(String run, JsonNode config, int blocksPerEngine) {
    boolean facebook = config.path("convention").asText().equals("facebook");
    JsonNode arch = Golden.json("dit-facebook/arch.json").path("config");
    OptionalInt heads = facebook ? OptionalInt.of(arch.path("heads").asInt()) : OptionalInt.empty();
    try (Checkpoint checkpoint = Golden.open(facebook ? "dit-facebook/model.pt" : "dit")) {
      Model model = Model.of(checkpoint, heads);
      List<Integer> timesteps = integers(config.path("timesteps"));
      double threshold = config.path("tau").asDouble();
      List<String> branches = model.denoiser().branchNames();
      Router router =
          new Router(
              "harmonica",
              model.denoiser().architecture(),
              "ddim",
              timesteps.size(),
              Timesteps.of(timesteps),
              threshold,
              branches,
              TorchRouters.HARMONICA
                  .read(path(run + "/router.pt"), branches.size(), OptionalDouble.of(threshold))
                  .scores(),
              Reuse.LAST,
              JsonNodeFactory.instance.objectNode());
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(blocksPerEngine);
      new Exporter(model, List.of(router), options).export(folder.resolve("repository"));
      return router;
    }
  }

  private static void checkDecisions(Router router, Checkpoint vectors, JsonNode config) {
    long[] mask = vectors.tensor("mask").longs();
    long[] computed = new long[mask.length];
    int branches = router.branches().size();
    for (int i = 0; i < computed.length; i++) {
      computed[i] = router.computes(i / branches, i % branches) ? 1 : 0;
    }
    assertThat(computed).containsExactly(mask);
    assertThat(Savings.of(router).computedPerStep())
        .isEqualTo(integers(config.path("computed_branches_per_step")));
  }

  /** Compares guided predictions, learned variance included, with the reference's first half. */
  private static void checkOutputs(List<float[]> actual, Checkpoint vectors, JsonNode config) {
    float[] expected = floats(vectors, "infer.output"); // (T, 2 n, outputChannels, H, W)
    int size = expected.length / actual.size();
    int sample = size / Golden.size(vectors, "infer.output", 1);
    int channel = sample / Golden.size(vectors, "infer.output", 2);
    int guidedChannels = config.path("cfg_channels").asInt();
    double scale = config.path("cfg_scale").asDouble();
    for (int s = 0; s < actual.size(); s++) {
      float[] raw = actual.get(s);
      float[] output = Arrays.copyOf(raw, size / 2); // the conditional half
      for (int i = 0; i < output.length; i++) {
        if (i % sample < guidedChannels * channel) {
          float uncond = raw[size / 2 + i];
          output[i] = (float) (uncond + scale * (output[i] - uncond));
        }
      }
      float[] row = Arrays.copyOfRange(expected, s * size, s * size + size / 2);
      assertClose("output of step " + s, output, row, OUTPUT_TOLERANCE);
    }
  }
}
