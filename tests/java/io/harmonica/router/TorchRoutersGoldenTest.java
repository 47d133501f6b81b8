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
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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
          TorchRouters.HARMONICA
              .read(folder.resolve("router.pt"), branches, OptionalDouble.of(threshold))
              .scores();
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

  /** Learning-to-Cache's own code noted which branches it computed in each evaluation. */
  @ParameterizedTest
  @ValueSource(strings = {"class-conv", "class-noconv"})
  void learningToCache_ofUVit_computesWhatItsCodeComputes(String model) {
    Path folder = Golden.path("uvit").resolve(model);
    try (Checkpoint golden = Checkpoint.open(folder.resolve("traj_l2c_10.safetensors"))) {
      int steps = Golden.size(golden, "computed", 0);
      int branches = Golden.size(golden, "computed", 1);
      long[] computed = golden.tensor("computed").longs();
      TorchRouters.Table table =
          TorchRouters.LEARNING_TO_CACHE.read(
              folder.resolve("router.pth"), branches, OptionalDouble.empty());
      assertThat(table.threshold()).isEqualTo(0.9);
      assertThat(table.sampler()).hasValue("dpm-solver-2");
      assertThat(table.scores()).hasDimensions(steps, branches);
      Router router = Routers.of(Reuse.LAST, table.threshold(), table.scores());
      for (int s = 0; s < steps; s++) {
        for (int b = 0; b < branches; b++) {
          assertThat(router.computes(s, b)).isEqualTo(computed[s * branches + b] == 1);
        }
      }
      assertThat(router.computes()[2]).contains(false);
    }
  }
}
