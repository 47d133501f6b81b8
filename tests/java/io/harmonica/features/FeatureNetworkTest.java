package io.harmonica.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import io.harmonica.runtime.TinyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureNetworkTest {
  @TempDir Path folder;

  /** Features: the four values of a picture of one channel, doubled. */
  private Path doubling(String input, String output, long size) throws IOException {
    TinyGraph graph =
        new TinyGraph()
            .input(input, DataType.FLOAT, -1, 1, size, 2)
            .output(output, DataType.FLOAT, -1, 2 * size)
            .floats("two", List.of(1L), 2)
            .node("flat", "Flatten", input)
            .node(output, "Mul", "flat", "two");
    Path file = folder.resolve("model.onnx");
    Files.write(file, graph.model().toByteArray());
    return file;
  }

  @Test
  void of_runsAnyNumberOfPicturesInOrder_clamped() throws IOException {
    int count = FeatureNetwork.BATCH * 2 + 7;
    float[] values = new float[count * 4];
    for (int i = 0; i < values.length; i++) {
      values[i] = i / 500f; // past 1 from 500 on
    }
    try (FeatureNetwork network = FeatureNetwork.open(doubling("pictures", "features", 2))) {
      Features features = network.of(new Latents(values, count, 1, 2, 2));
      assertThat(features.count()).isEqualTo(count);
      assertThat(features.width()).isEqualTo(4);
      assertThat(features.logits()).isEmpty();
      assertThat(features.values()[110])
          .containsExactly(
              new double[] {2 * 440 / 500.0, 2 * 441 / 500.0, 2 * 442 / 500.0, 2 * 443 / 500.0},
              within(1e-6));
      assertThat(features.values()[count - 1]).containsExactly(2, 2, 2, 2);
    }
  }

  @Test
  void of_refusesPicturesOfAnotherSize() throws IOException {
    try (FeatureNetwork network = FeatureNetwork.open(doubling("pictures", "features", 2))) {
      assertThatThrownBy(() -> network.of(new Latents(new float[8], 1, 1, 4, 2)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageEndingWith(
              "model.onnx takes pictures of 1 x 2 x 2 (channels, height, width), these are 1 x 4 x 2: use a network for this size");
    }
  }

  @Test
  void of_refusesNotANumber() throws IOException {
    try (FeatureNetwork network = FeatureNetwork.open(doubling("pictures", "features", 2))) {
      float[] values = new float[8];
      values[5] = Float.NaN;
      assertThatThrownBy(() -> network.of(new Latents(values, 2, 1, 2, 2)))
          .hasMessageContaining("picture 1 holds NaN");
    }
  }

  @Test
  void open_namesWhatIsMissing() throws IOException {
    assertThatThrownBy(() -> FeatureNetwork.open(doubling("image", "features", 2)))
        .hasMessageContaining("has no fp32 input 'pictures', it has image");
    assertThatThrownBy(() -> FeatureNetwork.open(doubling("pictures", "pool3", 2)))
        .hasMessageContaining("has no fp32 output 'features', it has pool3");
    assertThatThrownBy(() -> FeatureNetwork.open(folder.resolve("none.onnx")))
        .hasMessageEndingWith("none.onnx: check the path");
    Path text = Files.writeString(folder.resolve("text.onnx"), "no graph");
    assertThatThrownBy(() -> FeatureNetwork.open(text))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("ONNX Runtime cannot load " + text);
  }

  @Test
  void open_refusesAFixedBatch() throws IOException {
    TinyGraph graph =
        new TinyGraph()
            .input("pictures", DataType.FLOAT, 1, 3, 2, 2)
            .output("features", DataType.FLOAT, 1, 12)
            .node("features", "Flatten", "pictures");
    Path file = Files.write(folder.resolve("one.onnx"), graph.model().toByteArray());
    assertThatThrownBy(() -> FeatureNetwork.open(file))
        .hasMessage(
            file
                + " takes batches of 1 alone, expected a free first dimension of 'pictures': export it with a dynamic batch");
  }

  @Test
  void statisticsOfAFolder_areThoseOfItsPictures() throws IOException {
    Latents pictures = new Latents(new float[3 * 3 * 4], 3, 3, 2, 2);
    for (int i = 0; i < pictures.values().length; i++) {
      pictures.values()[i] =
          (i * 7 % 256) / 127.5f - 1; // whole levels, so that a PNG loses nothing
    }
    for (int i = 0; i < 3; i++) {
      Png.write(Pictures.of(pictures).get(i), folder.resolve("pictures/" + i + ".png"));
    }
    Files.writeString(folder.resolve("pictures/sheet.png"), "a contact sheet is not read");
    Path file = folder.resolve("rgb.onnx");
    TinyGraph graph =
        new TinyGraph()
            .input("pictures", DataType.FLOAT, -1, 3, -1, -1)
            .output("features", DataType.FLOAT, -1, -1)
            .node("features", "Flatten", "pictures");
    Files.write(file, graph.model().toByteArray());
    try (FeatureNetwork network = FeatureNetwork.open(file)) {
      FeatureStatistics expected = network.of(pictures).statistics();
      FeatureStatistics found = FeatureStatistics.of(network, folder.resolve("pictures"));
      assertThat(found.count()).isEqualTo(3);
      assertThat(found.mean()).containsExactly(expected.mean(), within(1e-6));
      assertThat(Frechet.distance(found, expected)).isCloseTo(0, within(1e-6));
      Png.write(
          Pictures.of(new Latents(new float[27], 1, 3, 3, 3)).get(0),
          folder.resolve("pictures/9.png"));
      assertThatThrownBy(() -> FeatureStatistics.of(network, folder.resolve("pictures")))
          .hasMessageContaining("9.png has 3 x 3 pixels");
    }
    assertThatThrownBy(() -> PictureFolder.of(folder.resolve("nowhere")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("nowhere does not exist");
    assertThatThrownBy(() -> PictureFolder.of(folder))
        .hasMessageContaining("no PNG files in " + folder);
  }
}
