package io.harmonica.runtime;

import static io.harmonica.repository.proto.DataType.TYPE_FP32;
import static io.harmonica.runtime.ModelRepository.ensemble;
import static io.harmonica.runtime.ModelRepository.input;
import static io.harmonica.runtime.ModelRepository.output;
import static io.harmonica.runtime.ModelRepository.step;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedRuntimeTest extends RuntimeContract {
  private Path row;
  private WatchedBackend backend;

  @Override
  protected Runtime open(Path repository) {
    return EmbeddedRuntime.open(repository);
  }

  /** Four engines in a row, the first of which gives a tap that the last one reads. */
  @BeforeEach
  void writeRow(@TempDir Path folder) throws IOException {
    ContractModels.write(folder);
    row = folder;
    backend = new WatchedBackend(Backend.cpu());
    ModelRepository.write(
        folder,
        ensemble(
                "row",
                ContractModels.MAX_BATCH,
                step("affine", Map.of("x", "sample"), Map.of("y", "a", "y_tap", "tap")),
                step("affine", Map.of("x", "a"), Map.of("y", "b", "y_tap", "unread")),
                step("affine", Map.of("x", "b"), Map.of("y", "c")),
                step("signs", Map.of("x", "tap"), Map.of("minus", "result")))
            .addInput(input("sample", TYPE_FP32, 3))
            .addOutput(output("result", TYPE_FP32, 3))
            .addOutput(output("c", TYPE_FP32, 3)));
  }

  @Test
  void infer_ofEnsemble_keepsEachTensorUntilItsLastReader() {
    assertThat(run("result", "c")).containsExactly(-3, -5, -7);
    assertThat(backend.alive)
        .containsExactly(
            Set.of(),
            Set.of("1 affine y", "1 affine y_tap"),
            Set.of("1 affine y_tap", "2 affine y"),
            Set.of("1 affine y_tap", "3 affine y"));
    assertThat(backend.alive()).isEmpty();
  }

  @Test
  void infer_forOneOutput_dropsTheOtherAtOnce() {
    run("result");
    assertThat(backend.alive.get(3)).containsExactly("1 affine y_tap");
    assertThat(backend.alive()).isEmpty();
  }

  @Test
  void engines_areLoadedOnceByTheBackend_andClosedWithTheRuntime() {
    run("result");
    assertThat(backend.loaded).containsExactly("affine", "signs");
    assertThat(backend.closed).containsExactlyInAnyOrder("affine", "signs");
  }

  /** The values of {@code result}. */
  private float[] run(String... outputs) {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(row, backend)) {
      assertThat(runtime.description()).isEqualTo("watched " + Backend.cpu().description());
      Map<String, Tensor> inputs =
          Map.of("sample", runtime.tensor(FloatBuffer.wrap(new float[] {1, 2, 3}), 1, 3));
      Map<String, Tensor> results = runtime.infer("row", inputs, Set.of(outputs));
      assertThat(results).containsOnlyKeys(outputs);
      float[] values = values(results.get("result"));
      results.values().forEach(Tensor::close);
      inputs.values().forEach(Tensor::close);
      return values;
    }
  }
}
