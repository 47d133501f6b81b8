package io.harmonica.triton;

import static io.harmonica.repository.proto.DataType.TYPE_FP32;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.repository.proto.ModelDynamicBatching;
import io.harmonica.runtime.ModelRepository;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Tensor;
import io.harmonica.runtime.TinyGraph;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a real server has counted, against what its own HTTP service says of it. */
@Tag("triton")
class ServerCountsTest {
  private static final int BATCH = 4;
  private static final String ENGINE = "together";
  private static final String ENSEMBLE = "around";

  @TempDir static Path folder;

  private static TritonServer server;

  /** An engine that waits for a whole batch, a minute at most, and an ensemble of it alone. */
  @BeforeAll
  static void serve() throws Exception {
    ModelRepository.write(
        folder,
        ModelRepository.engine(ENGINE, BATCH)
            .addInput(ModelRepository.input("x", TYPE_FP32, 3))
            .addOutput(ModelRepository.output("y", TYPE_FP32, 3))
            .setDynamicBatching(
                ModelDynamicBatching.newBuilder()
                    .addPreferredBatchSize(BATCH)
                    .setMaxQueueDelayMicroseconds(TimeUnit.MINUTES.toMicros(1))),
        new TinyGraph()
            .input("x", DataType.FLOAT, -1, 3)
            .node("y", "Neg", "x")
            .output("y", DataType.FLOAT, -1, 3)
            .model());
    ModelRepository.write(
        folder,
        ModelRepository.ensemble(
                ENSEMBLE, BATCH, ModelRepository.step(ENGINE, Map.of("x", "x"), Map.of("y", "y")))
            .addInput(ModelRepository.input("x", TYPE_FP32, 3))
            .addOutput(ModelRepository.output("y", TYPE_FP32, 3)));
    server = TritonServer.start(folder);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static void infer(Runtime runtime, int rows) {
    try (Tensor x = runtime.tensor(FloatBuffer.allocate(3 * rows), rows, 3)) {
      runtime.infer(ENSEMBLE, Map.of("x", x), Set.of("y")).get("y").close();
    }
  }

  @ParameterizedTest
  @EnumSource(LateStatistics.What.class)
  void statistics_thatComeLate_areAwaited(LateStatistics.What what) throws IOException {
    try (LateStatistics late = LateStatistics.of(server.address(), what, 5);
        Runtime runtime = TritonRuntime.connect(late.address(), ServerOptions.DEFAULTS)) {
      Statistics before = runtime.statistics();
      Times earlier = Times.of(ENGINE);
      infer(runtime, BATCH);
      infer(runtime, BATCH);
      Statistics spent = runtime.statistics().minus(before);
      Times later = Times.of(ENGINE);
      assertThat(late.lateAnswers()).isNotPositive();
      assertThat(spent.uncounted()).isZero();
      assertThat(spent.models().get(ENSEMBLE).count()).isEqualTo(2);
      assertThat(spent.models().get(ENGINE).count()).isEqualTo(2);
      assertThat(spent.models().get(ENGINE).computeNanos())
          .isPositive()
          .isEqualTo(later.executions - earlier.executions);
      infer(runtime, BATCH);
      assertThat(runtime.statistics().minus(before).models().get(ENSEMBLE).count()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @EnumSource(LateStatistics.What.class)
  void statistics_thatDoNotCome_areToldAsMissing(LateStatistics.What what) throws IOException {
    try (LateStatistics late = LateStatistics.of(server.address(), what, Integer.MAX_VALUE);
        Runtime runtime = TritonRuntime.connect(late.address(), ServerOptions.DEFAULTS)) {
      Statistics before = runtime.statistics();
      infer(runtime, BATCH);
      assertThat(runtime.statistics().minus(before).uncounted()).isPositive();
      assertThat(runtime.statistics().uncounted()).isZero(); // and not waited for again
    }
  }

  @Test
  void statistics_ofABatch_countItsExecutionOnce() throws Exception {
    try (Runtime runtime = TritonRuntime.connect(server.address());
        Tensor x = runtime.tensor(FloatBuffer.allocate(3), 1, 3)) {
      Statistics before = runtime.statistics();
      Times earlier = Times.of(ENGINE);
      List<CompletableFuture<Map<String, Tensor>>> together = new ArrayList<>();
      for (int i = 0; i < BATCH; i++) {
        together.add(runtime.inferAsync(ENSEMBLE, Map.of("x", x), Set.of("y")));
      }
      together.forEach(one -> one.join().get("y").close());
      Statistics.Model spent = runtime.statistics().minus(before).models().get(ENGINE);
      Times later = Times.of(ENGINE);
      assertThat(later.executionCount - earlier.executionCount).isEqualTo(1);
      assertThat(spent.count()).isEqualTo(BATCH);
      long executions = later.executions - earlier.executions;
      long requests = later.requests - earlier.requests;
      assertThat(requests).isGreaterThan(executions); // Triton's own sum
      assertThat(spent.computeNanos()).isEqualTo(executions);
      assertThat(spent.queueNanos() + spent.computeNanos())
          .isEqualTo(later.queue - earlier.queue + requests);
    }
  }

  /** What the server's HTTP service says of a model, in nanoseconds. */
  private record Times(long executionCount, long executions, long requests, long queue) {
    private static final List<String> COMPUTE =
        List.of("compute_input", "compute_infer", "compute_output");

    static Times of(String model) throws IOException {
      JsonNode stats =
          new ObjectMapper()
              .readTree(server.http("/v2/models/" + model + "/stats"))
              .path("model_stats")
              .path(0);
      long executions = 0;
      for (JsonNode batch : stats.path("batch_stats")) {
        executions += compute(batch);
      }
      JsonNode requests = stats.path("inference_stats");
      return new Times(
          stats.path("execution_count").asLong(),
          executions,
          compute(requests),
          requests.path("queue").path("ns").asLong());
    }

    private static long compute(JsonNode times) {
      return COMPUTE.stream().mapToLong(part -> times.path(part).path("ns").asLong()).sum();
    }
  }
}
