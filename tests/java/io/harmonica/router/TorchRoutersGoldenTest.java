package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("golden")
class TorchRoutersGoldenTest {
  private static final double ROUNDING = 6e-7; // six decimals, and r itself is fp32

  static List<Path> folders() throws IOException {
    try (Stream<Path> folders = Files.list(Golden.path("routing"))) {
      return folders.filter(f -> Files.exists(f.resolve("router.pt"))).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("folders")
  void harmonica_goldenFile_hasTheReferencesScoresAndMask(Path folder) {
    double threshold =
        Golden.json("routing/" + folder.getFileName() + "/config.json").get("tau").asDouble();
    try (Checkpoint golden = Checkpoint.open(folder.resolve("io.safetensors"))) {
      StoredTensor r = golden.tensor("r");
      int steps = Math.toIntExact(r.shape().get(0));
      int branches = Math.toIntExact(r.shape().get(1));
      double[][] scores =
          TorchRouters.HARMONICA.scores(folder.resolve("router.pt"), branches, threshold);
      assertThat(scores).hasDimensions(steps, branches);
      Router router = Routers.of(Reuse.LAST, threshold, scores);
      float[] expected = r.floats();
      float[] logits = golden.tensor("logits").floats();
      long[] mask = golden.tensor("mask").longs();
      for (int s = 0; s < steps; s++) {
        for (int b = 0; b < branches; b++) {
          int at = s * branches + b;
          assertThat(scores[s][b]).isCloseTo(expected[at], within(ROUNDING));
          assertThat(scores[s][b]).isCloseTo(1 / (1 + Math.exp(-logits[at])), within(ROUNDING));
          assertThat(router.computes(s, b)).isEqualTo(mask[at] == 1);
        }
      }
    }
  }
}
