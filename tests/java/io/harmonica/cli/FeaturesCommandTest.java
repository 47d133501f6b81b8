package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.features.FeatureStatistics;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeaturesCommandTest {
  private static final String NETWORK = "export/shapes-features/model.onnx";

  @TempDir Path folder;

  private void pictures(int count) {
    float[] values = new float[count * 3 * 32 * 32];
    Random random = new Random(0);
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    var pictures = Pictures.of(new Latents(values, count, 3, 32, 32));
    for (int i = 0; i < count; i++) {
      Png.write(pictures.get(i), folder.resolve("pictures/%03d.png".formatted(i)));
    }
  }

  private Invocation run() {
    return Invocation.of(
        "features",
        "--features",
        NETWORK,
        "--pictures",
        folder.resolve("pictures").toString(),
        "--out",
        folder.resolve("stats.json").toString());
  }

  @Test
  void features_writesStatistics() {
    pictures(70);
    Invocation run = run();
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out()).endsWith("stats.json: 70 pictures, 64 features each\n");
    assertThat(FeatureStatistics.read(folder.resolve("stats.json")).count()).isEqualTo(70);
  }

  @Test
  void features_noteThatPicturesAreFew() {
    pictures(5);
    Invocation run = run();
    assertThat(run.code()).isZero();
    assertThat(run.err()).startsWith("note: 5 pictures for 64 features").endsWith("more than 64\n");
  }

  @Test
  void features_refuseOnePicture() {
    pictures(1);
    Invocation run = run();
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).startsWith("error: too few pictures for a covariance: 1");
    assertThat(Files.exists(folder.resolve("stats.json"))).isFalse();
  }
}
