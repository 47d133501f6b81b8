package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TorchRoutersTest {
  private static final double THRESHOLD = 0.1;
  private static final float LOGIT_OF_0_9 = 2.1972246f;

  @TempDir Path folder;

  /** A file whose row i has the logits of {@code rows[i]}. */
  private Path file(float[]... rows) throws IOException {
    Map<String, float[]> named = new LinkedHashMap<>();
    for (int i = 0; i < rows.length; i++) {
      named.put(i + ".prob", rows[i]);
    }
    Path path = folder.resolve("router.pt");
    TorchRouterFiles.write(path, "routers", named);
    return path;
  }

  private static double[][] harmonica(Path path, int branches, double threshold) {
    return TorchRouters.HARMONICA.read(path, branches, OptionalDouble.of(threshold)).scores();
  }

  private static double[][] learningToCache(Path path, int branches, double threshold) {
    return TorchRouters.LEARNING_TO_CACHE
        .read(path, branches, OptionalDouble.of(threshold))
        .scores();
  }

  @Test
  void harmonica_rows_runBackwards() throws IOException {
    Path path = file(new float[] {0, -5}, new float[] {-3, 1}, new float[] {5, 5});
    double[][] scores = harmonica(path, 2, THRESHOLD);
    assertThat(scores)
        .isDeepEqualTo(
            new double[][] {{0.993307, 0.993307}, {0.047426, 0.731059}, {0.5, 0.006693}});
  }

  @Test
  void learningToCache_oddRows_computeEverything() throws IOException {
    Path path =
        file(new float[] {0, -5}, new float[] {-3, -3}, new float[] {-3, 1}, new float[] {-2, -2});
    assertThat(learningToCache(path, 2, THRESHOLD))
        .isDeepEqualTo(new double[][] {{1, 1}, {0.047426, 0.731059}, {1, 1}, {0.5, 0.006693}});
  }

  @Test
  void scores_nextToTheThreshold_areNotRoundedAcrossIt() throws IOException {
    float justAbove = Math.nextUp((float) Math.log(0.1 / 0.9));
    double exact = 1 / (1 + Math.exp(-justAbove));
    assertThat(exact).as("the premise").isGreaterThan(THRESHOLD).isLessThan(THRESHOLD + 1e-7);
    double[][] scores = harmonica(file(new float[] {justAbove}, new float[] {5}), 1, THRESHOLD);
    assertThat(scores[1][0]).isEqualTo(exact);
  }

  @Test
  void scores_otherDepth_isRefused() throws IOException {
    Path path = file(new float[] {0, 0}, new float[] {5, 5});
    assertThatThrownBy(() -> harmonica(path, 56, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("tensor '0.prob' has shape [2], expected [56]");
  }

  @Test
  void scores_missingRow_isRefused() throws IOException {
    Path path = folder.resolve("router.pt");
    TorchRouterFiles.write(
        path, "routers", Map.of("0.prob", new float[] {0}, "2.prob", new float[] {5}));
    assertThatThrownBy(() -> harmonica(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("no tensor '1.prob', expected 0.prob to 1.prob");
  }

  @Test
  void scores_notARouter_isRefused() throws IOException {
    Path path = folder.resolve("model.pt");
    TorchRouterFiles.write(path, "model", Map.of("pos_embed", new float[] {0}));
    assertThatThrownBy(() -> harmonica(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("holds no dictionary 'routers'")
        .hasMessageContaining("[model]");
  }

  @Test
  void scores_ofAWholeCheckpoint_listsThreeKeys() {
    assertThatThrownBy(() -> harmonica(Checkpoints.DIT_FACEBOOK, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .message()
        .matches(".*; found \\[[^,]+, [^,]+, [^,]+] and \\d+ more");
  }

  @Test
  void scores_notFinite_isRefused() throws IOException {
    Path path = file(new float[] {0, Float.NaN}, new float[] {5, 5});
    assertThatThrownBy(() -> harmonica(path, 2, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("tensor '0.prob' holds NaN at branch 1");
  }

  @Test
  void learningToCache_oddNumberOfSteps_isRefused() throws IOException {
    Path path = file(new float[] {0}, new float[] {5}, new float[] {5});
    assertThatThrownBy(() -> learningToCache(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("has 3 steps, expected an even number")
        .hasMessageContaining("`format` harmonica");
  }

  // ---- Learning-to-Cache's for U-ViT ----

  /** A bare dictionary whose row i has the logits of {@code rows[i]}. */
  private Path bare(float[]... rows) throws IOException {
    Map<String, float[]> named = new LinkedHashMap<>();
    for (int i = 0; i < rows.length; i++) {
      named.put(i + ".prob", rows[i]);
    }
    Path path = folder.resolve("router.pth");
    TorchRouterFiles.writeBare(path, named);
    return path;
  }

  /** Row i is update i; its first evaluation is step 2 i, and all others compute everything. */
  @Test
  void learningToCache_ofUVit_rowsAreUpdates_inExecutionOrder() throws IOException {
    float[] untouched = {-9, -9};
    Path path =
        bare(untouched, new float[] {3, -3}, new float[] {0, 5}, untouched, untouched, untouched);
    TorchRouters.Table table = TorchRouters.LEARNING_TO_CACHE.read(path, 2, OptionalDouble.empty());
    assertThat(table.threshold()).isEqualTo(0.9);
    assertThat(table.sampler()).hasValue("dpm-solver-2");
    assertThat(table.scores())
        .isDeepEqualTo(
            new double[][] {{1, 1}, {1, 1}, {0.952574, 0.047426}, {1, 1}, {0.5, 0.993307}, {1, 1}});
    assertThat(TorchRouters.LEARNING_TO_CACHE.read(path, 2, OptionalDouble.of(0.3)).threshold())
        .isEqualTo(0.3);
  }

  /** Of the first evaluations of all updates but the first one's. */
  @ParameterizedTest
  @CsvSource({"20, 189, 522", "50, 88, 1392"})
  void learningToCache_ofUVit_publishedRouters_haveTheirCounts(
      int steps, int computed, int executions) throws IOException {
    List<String> rows = new ArrayList<>();
    try (InputStream tables = getClass().getResourceAsStream("uvit_tables.json")) {
      new ObjectMapper().readTree(tables).get("dpm" + steps).forEach(r -> rows.add(r.asText()));
    }
    int branches = rows.get(0).length();
    Random random = new Random(steps);
    float[][] logits = new float[steps][branches];
    for (int i = 0; i < steps; i++) {
      for (int b = 0; b < branches; b++) {
        float margin = (1 + 9 * random.nextFloat()) * 0.02f;
        logits[i][b] =
            i < 1 || i > rows.size()
                ? (float) random.nextGaussian() // as torch.randn left it
                : LOGIT_OF_0_9 + (rows.get(i - 1).charAt(b) == 'x' ? margin : -margin);
      }
    }
    TorchRouters.Table table =
        TorchRouters.LEARNING_TO_CACHE.read(bare(logits), branches, OptionalDouble.empty());
    Router router = Routers.of(Reuse.LAST, table.threshold(), table.scores());
    int all = 0;
    int counted = 0;
    for (int s = 0; s < steps; s++) {
      boolean masked = s > 0 && s % 2 == 0;
      for (int b = 0; b < branches; b++) {
        assertThat(router.computes(s, b))
            .isEqualTo(!masked || rows.get(s / 2 - 1).charAt(b) == 'x');
        all += masked ? 1 : 0;
        counted += masked && router.computes(s, b) ? 1 : 0;
      }
    }
    assertThat(counted).isEqualTo(computed);
    assertThat(all).isEqualTo(executions);
  }

  @Test
  void learningToCache_ofUVit_oddNumberOfSteps_isRefused() throws IOException {
    Path path = bare(new float[] {0}, new float[] {5}, new float[] {5});
    assertThatThrownBy(() -> learningToCache(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageEndingWith(
            "has 3 steps, expected an even number: Learning-to-Cache routes every second step");
  }

  @Test
  void harmonica_bareDictionary_isRefused_withTheFormatThatHasThem() throws IOException {
    Path path = bare(new float[] {0}, new float[] {5});
    assertThatThrownBy(() -> harmonica(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("holds no dictionary 'routers'")
        .hasMessageEndingWith("as of U-ViT: use `format` learning-to-cache");
  }
}
