package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.Golden;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.TorchRouters;
import io.harmonica.sampler.Sampler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole trajectories of U-ViT against its own sampling, and Learning-to-Cache's with a cache. */
@Tag("golden")
class UVitPipelineGoldenTest {
  /** As the vectors' README has it: the reference keeps lambda and its inverse in fp32. */
  private static final double TIME_TOLERANCE = 0.01;

  private static final String ROUTER = "learned";

  @TempDir Path folder;

  /**
   * A golden trajectory.
   *
   * @param run as its file is called: {@code fast3_10}
   */
  private record Case(UVitVectors vectors, String run, int blocksPerEngine, int stepsPerRequest) {
    boolean routed() {
      return run.startsWith("l2c");
    }

    UVitSchedule schedule() {
      return run.startsWith("continuous") ? UVitSchedule.CONTINUOUS : UVitSchedule.DISCRETE;
    }

    String sampler() {
      return run.startsWith("singlestep2") || routed() ? "dpm-solver-2" : "dpm-solver-fast";
    }

    Checkpoint trajectory() {
      return Golden.open(vectors.folder() + "/traj_" + run + ".safetensors");
    }

    JsonNode info() {
      return Golden.json(vectors.folder() + "/sample.json");
    }
  }

  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (UVitVectors vectors : UVitVectors.all()) {
      try (Stream<Path> files = Files.list(path(vectors.folder()))) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.startsWith("traj_"))
            .map(name -> name.replaceAll("traj_|\\.safetensors", ""))
            .sorted()
            .forEach(
                run -> {
                  for (int blocks : new int[] {1, 2, 0}) {
                    cases.add(new Case(vectors, run, blocks, 1));
                  }
                  cases.add(new Case(vectors, run, 0, 2));
                });
      }
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyEvaluation_isTheReferences(Case golden) {
    export(golden);
    try (Checkpoint vectors = golden.trajectory();
        Pipeline pipeline =
            Pipeline.builder("uvit")
                .repository(folder)
                .stepsPerRequest(golden.stepsPerRequest())
                .open()) {
      float[] times = floats(vectors, "t_eval");
      float[] samples = floats(vectors, "x_eval");
      float[] end = floats(vectors, "z_final");
      int last = times.length - 1;
      List<Integer> seen = new ArrayList<>();
      pipeline.generate(
          request(golden, vectors, times.length),
          step -> {
            int s = step.step();
            assertThat(step.timestep()).isCloseTo(times[s], within(TIME_TOLERANCE));
            float[] expected = s == last ? end : row(samples, s + 1, end.length);
            assertClose(
                "x after evaluation " + s,
                step.latentsCopy(),
                expected,
                trajectoryTolerance(expected));
            seen.add(s);
            return true;
          });
      assertThat(seen).hasSize(times.length / golden.stepsPerRequest()).contains(last);
    }
  }

  private void export(Case golden) {
    try (Checkpoint source = Checkpoint.open(golden.vectors().checkpoint())) {
      Model model = Model.of(source, golden.vectors().choices().withSchedule(golden.schedule()));
      ExportOptions options =
          ExportOptions.of("uvit")
              .withBlocksPerEngine(golden.blocksPerEngine())
              .withStepsPerRequest(golden.stepsPerRequest());
      List<Router> routers = golden.routed() ? List.of(router(golden, model)) : List.of();
      new Exporter(model, routers, options).export(folder);
    }
  }

  /** Learning-to-Cache's, which computes what its own code computed. */
  private static Router router(Case golden, Model model) {
    List<String> branches = model.denoiser().branchNames();
    TorchRouters.Table table =
        TorchRouters.LEARNING_TO_CACHE.read(
            path(golden.vectors().folder() + "/router.pth"),
            branches.size(),
            OptionalDouble.empty());
    Sampler sampler =
        model
            .denoiser()
            .io()
            .sampling()
            .sampler(golden.sampler(), table.scores().length, Optional.empty());
    Router router =
        new Router(
            ROUTER,
            model.denoiser().architecture(),
            golden.sampler(),
            table.scores().length,
            sampler.timesteps(),
            table.threshold(),
            branches,
            table.scores(),
            Reuse.LAST,
            JsonNodeFactory.instance.objectNode());
    try (Checkpoint vectors = golden.trajectory()) {
      long[] computed = longs(vectors, "computed");
      assertThat(Arrays.stream(computed).filter(c -> c == 0).count()).isPositive();
      for (int i = 0; i < computed.length; i++) {
        assertThat(router.computes(i / branches.size(), i % branches.size()))
            .isEqualTo(computed[i] == 1);
      }
    }
    return router;
  }

  private static Request request(Case golden, Checkpoint vectors, int steps) {
    double scale = golden.info().path("scale").asDouble(0);
    Request request =
        Request.of(content(vectors))
            .withSampler(golden.sampler())
            .withSteps(steps)
            .withGuidance(1 + scale) // theirs is c + s (c - u)
            .withLatents(PipelineGoldenTest.latents(vectors, "z_init"));
    return golden.routed() ? request.withRouter(ROUTER) : request;
  }

  private static Content content(Checkpoint vectors) {
    if (vectors.names().contains("y")) {
      return Content.of(Arrays.stream(longs(vectors, "y")).mapToObj(y -> (int) y).toList());
    }
    return vectors.names().contains("context")
        ? new Content.Texts(
            embeddings(vectors, "context"), Optional.of(embeddings(vectors, "empty_context")))
        : Content.anything(size(vectors, "z_init", 0));
  }

  private static Embeddings embeddings(Checkpoint vectors, String name) {
    List<Integer> shape =
        new ArrayList<>(vectors.tensor(name).shape().stream().map(Math::toIntExact).toList());
    shape.addAll(0, Collections.nCopies(3 - shape.size(), 1));
    long[] mask = IntStream.range(0, shape.get(0) * shape.get(1)).mapToLong(i -> 1).toArray();
    return new Embeddings(floats(vectors, name), mask, shape.get(0), shape.get(1), shape.get(2));
  }

  private static float[] row(float[] values, int row, int size) {
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }
}
