package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.model.Layers;
import io.harmonica.model.PixArt;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shows;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The golden models as PixArt-sigma's own tool names their weights ({@code
 * make_pixart_state_dicts.py}): the same models as in diffusers' layout.
 */
class PixArtStateDictTest {
  private static final Path FILES = Path.of("tests/resources/io/harmonica/model");
  private static final Path SIGMA = FILES.resolve("sigma.pth");
  private static final Choices TWO_HEADS = Choices.NONE.withHeads(OptionalInt.of(2));

  @TempDir Path folder;

  @Test
  void of_trainedFile_isDiffusersModel() {
    assertSame(SIGMA, TWO_HEADS, Path.of("tests/golden/pixart/sigma-like"));
  }

  @Test
  void of_fileWithPictureSizes_isDiffusersModel() {
    Map<String, Floats> weights = Checkpoints.tensors(FILES.resolve("alpha-1024.pth"));
    weights.put(
        "pos_embed", Floats.of(Layers.positions(24, 64, 64, 64, 2), 1, 64 * 64, 24)); // left out
    Path file = Checkpoints.facebook(folder, weights);
    Choices choices = Choices.NONE.withHeads(OptionalInt.of(3)).withTextTokens(120);
    assertSame(file, choices, Path.of("tests/golden/pixart/alpha-1024-like"));
  }

  /** The same definition, and every weight the same, bit by bit. */
  private static void assertSame(Path file, Choices choices, Path diffusers) {
    try (Checkpoint original = Checkpoint.open(file);
        Checkpoint converted = Checkpoint.open(diffusers)) {
      Model model = Model.of(original, choices);
      assertThat(model.denoiser()).isEqualTo(Model.of(converted, Choices.NONE).denoiser());
      for (String name : converted.names()) {
        long[] shape = converted.tensor(name).shape().stream().mapToLong(i -> i).toArray();
        assertThat(model.weights().read(name, shape))
            .as(name)
            .containsExactly(converted.tensor(name).floats());
      }
    }
  }

  @Test
  void of_resolution_isFreeAsInDiffusersLayout() {
    PixArt model = model(SIGMA, TWO_HEADS.withResolution(new Resolution(64, 96)));
    assertThat(List.of(model.rows(), model.columns(), model.base())).containsExactly(4, 6, 32);
  }

  @Test
  void of_fileWithoutPositions_saysHowToConvertIt() {
    Path file = FILES.resolve("alpha-1024.pth");
    refused(
        file,
        TWO_HEADS,
        file + " is an original PixArt and has no pos_embed",
        "tools/convert_pixart_to_diffusers.py");
    Map<String, Floats> weights = Checkpoints.tensors(SIGMA);
    weights.put("pos_embed", Floats.of(Layers.positions(16, 32, 32, 32, 3), 1, 32 * 32, 16));
    refused(
        Checkpoints.facebook(folder, weights), TWO_HEADS, "positions in pos_embed that are not");
  }

  @Test
  void of_compressedKeysAndValues_isRefused() {
    Map<String, Floats> weights = Checkpoints.tensors(SIGMA);
    weights.put("blocks.1.attn.sr.weight", Floats.of(new float[16 * 4], 16, 1, 2, 2));
    refused(Checkpoints.facebook(folder, weights), TWO_HEADS, "'blocks.1.attn.sr.weight'");
  }

  @Test
  void of_unpublishedSize_needsHeads() {
    refused(SIGMA, Choices.NONE, "2 blocks of width 16 are no published PixArt", "add `heads` N");
    refused(SIGMA, Choices.NONE.withHeads(OptionalInt.of(3)), "do not have the 3 heads");
    Map<String, Floats> weights = Checkpoints.tensors(SIGMA);
    weights.remove("y_embedder.y_embedding");
    refused(
        Checkpoints.facebook(folder, weights),
        TWO_HEADS,
        "lacks the weight y_embedder.y_embedding");
    assertThat(
            model(Checkpoints.facebook(folder, weights), TWO_HEADS.withTextTokens(7)).io().text())
        .contains(new Shows.Text(7, 12, false));
  }

  private static PixArt model(Path path, Choices choices) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return (PixArt) Model.of(checkpoint, choices).denoiser();
    }
  }

  private static void refused(Path path, Choices choices, String... messageParts) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThatThrownBy(() -> Model.of(checkpoint, choices))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContainingAll(messageParts);
    }
  }
}
