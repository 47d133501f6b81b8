package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TorchRoutersTest {
  private static final double THRESHOLD = 0.1;

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

  @Test
  void harmonica_rows_runBackwards() throws IOException {
    Path path = file(new float[] {0, -5}, new float[] {-3, 1}, new float[] {5, 5});
    double[][] scores = TorchRouters.HARMONICA.scores(path, 2, THRESHOLD);
    assertThat(scores)
        .isDeepEqualTo(
            new double[][] {{0.993307, 0.993307}, {0.047426, 0.731059}, {0.5, 0.006693}});
  }

  @Test
  void learningToCache_oddRows_computeEverything() throws IOException {
    Path path =
        file(new float[] {0, -5}, new float[] {-3, -3}, new float[] {-3, 1}, new float[] {-2, -2});
    assertThat(TorchRouters.LEARNING_TO_CACHE.scores(path, 2, THRESHOLD))
        .isDeepEqualTo(new double[][] {{1, 1}, {0.047426, 0.731059}, {1, 1}, {0.5, 0.006693}});
  }

  @Test
  void scores_nextToTheThreshold_areNotRoundedAcrossIt() throws IOException {
    float justAbove = Math.nextUp((float) Math.log(0.1 / 0.9));
    double exact = 1 / (1 + Math.exp(-justAbove));
    assertThat(exact).as("the premise").isGreaterThan(THRESHOLD).isLessThan(THRESHOLD + 1e-7);
    double[][] scores =
        TorchRouters.HARMONICA.scores(file(new float[] {justAbove}, new float[] {5}), 1, THRESHOLD);
    assertThat(scores[1][0]).isEqualTo(exact);
  }

  @Test
  void scores_otherDepth_isRefused() throws IOException {
    Path path = file(new float[] {0, 0}, new float[] {5, 5});
    assertThatThrownBy(() -> TorchRouters.HARMONICA.scores(path, 56, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("tensor '0.prob' has shape [2], expected [56]");
  }

  @Test
  void scores_missingRow_isRefused() throws IOException {
    Path path = folder.resolve("router.pt");
    TorchRouterFiles.write(
        path, "routers", Map.of("0.prob", new float[] {0}, "2.prob", new float[] {5}));
    assertThatThrownBy(() -> TorchRouters.HARMONICA.scores(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("no tensor '1.prob', expected 0.prob to 1.prob");
  }

  @Test
  void scores_notARouter_isRefused() throws IOException {
    Path path = folder.resolve("model.pt");
    TorchRouterFiles.write(path, "model", Map.of("pos_embed", new float[] {0}));
    assertThatThrownBy(() -> TorchRouters.HARMONICA.scores(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("holds no dictionary 'routers'")
        .hasMessageContaining("[model]");
  }

  @Test
  void scores_ofAWholeCheckpoint_listsThreeKeys() {
    assertThatThrownBy(() -> TorchRouters.HARMONICA.scores(Checkpoints.DIT_FACEBOOK, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .message()
        .matches(".*; found \\[[^,]+, [^,]+, [^,]+] and \\d+ more");
  }

  @Test
  void scores_notFinite_isRefused() throws IOException {
    Path path = file(new float[] {0, Float.NaN}, new float[] {5, 5});
    assertThatThrownBy(() -> TorchRouters.HARMONICA.scores(path, 2, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("tensor '0.prob' holds NaN at branch 1");
  }

  @Test
  void learningToCache_oddNumberOfSteps_isRefused() throws IOException {
    Path path = file(new float[] {0}, new float[] {5}, new float[] {5});
    assertThatThrownBy(() -> TorchRouters.LEARNING_TO_CACHE.scores(path, 1, THRESHOLD))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("has 3 steps, expected an even number")
        .hasMessageContaining("`format` harmonica");
  }
}
