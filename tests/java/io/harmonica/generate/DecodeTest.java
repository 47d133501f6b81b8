package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.Resolution;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import java.awt.image.BufferedImage;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From finished latents to pixels, through the exported decoder. */
class DecodeTest {
  private static final Path VAE = Path.of("tests/golden/vae");
  private static final Path SHIFTED =
      Path.of("tests/resources/io/harmonica/generate/shift_factor.safetensors");
  private static final int HEIGHT = 128; // from there on in tiles, here of 64 x 32
  private static final int WIDTH = 32;

  @TempDir Path folder;

  private void export(boolean decoder, Resolution size, Resolution picture) {
    try (Checkpoint source = Checkpoint.open(Path.of("tests/golden/pixart/alpha-256-like"));
        Checkpoint vae = Checkpoint.open(Path.of("tests/golden/vae"))) {
      Model model = Model.of(source, Choices.NONE.withPixelsPerElement(2).withResolution(size));
      Exporter exporter = new Exporter(model, List.of(), ExportOptions.of("m"));
      if (decoder) {
        exporter.withDecoder(Autoencoder.of(vae));
      }
      if (picture != null) {
        exporter.resizedTo(picture);
      }
      exporter.export(folder);
    }
  }

  /** Two smooth pictures; every tile holds whole periods, so that group norms see the same. */
  private static Latents smooth() {
    float[] values = new float[2 * 4 * HEIGHT * WIDTH];
    for (int i = 0; i < values.length; i++) {
      int y = i / WIDTH % HEIGHT;
      int x = i % WIDTH;
      int plane = i / (HEIGHT * WIDTH);
      values[i] = (float) (Math.sin(y * Math.PI / 8 + plane) * Math.cos(x * Math.PI / 8 - plane));
    }
    return new Latents(values, 2, 4, HEIGHT, WIDTH);
  }

  @Test
  void decode_inTiles_isNearTheWhole() {
    export(true, new Resolution(2 * HEIGHT, 2 * WIDTH), null);
    Latents latents = smooth();
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder);
        Pipeline pipeline = Pipeline.open(folder, "m")) {
      Latents pixels = pipeline.decode(latents);
      assertThat(List.of(pixels.count(), pixels.channels(), pixels.height(), pixels.width()))
          .containsExactly(2, 3, 2 * HEIGHT, 2 * WIDTH);
      FloatBuffer values = FloatBuffer.wrap(latents.values());
      float[] whole = new float[pixels.values().length];
      for (int i = 0; i < 2; i++) {
        FloatBuffer one = values.slice(i * latents.sampleSize(), latents.sampleSize());
        try (Tensor input = runtime.tensor(one, 1, 4, HEIGHT, WIDTH);
            Tensor output =
                runtime
                    .infer("m-decoder", Map.of(Names.LATENTS, input), Set.of(Names.PIXELS))
                    .get(Names.PIXELS)) {
          output.floats().get(whole, i * pixels.sampleSize(), pixels.sampleSize());
        }
      }
      double error = 0;
      double power = 0;
      for (int i = 0; i < whole.length; i++) {
        error += Math.pow(pixels.values()[i] - whole[i], 2);
        power += Math.pow(whole[i], 2);
      }
      assertThat(error / power).isLessThan(0.001); // 30 dB
    }
  }

  /** diffusers' pipelines of DiT and PixArt leave it out, so that it changes no picture. */
  @ParameterizedTest
  @ValueSource(strings = {"dit", "alpha", "sigma"})
  void decode_shiftFactor_isAsInThePipelineOfThatModel(String pipeline) {
    Path vae =
        Checkpoints.diffusers(
            folder.resolve("vae"),
            Checkpoints.config(VAE).put("shift_factor", 40.0),
            Checkpoints.tensors(VAE));
    export(pipeline.equals("dit") ? Checkpoints.DIT : Checkpoints.PIXART, vae);
    try (Checkpoint io = Checkpoint.open(SHIFTED);
        Pipeline decoding = Pipeline.open(folder.resolve("models"), "m")) {
      float[] latents = io.tensor(pipeline + ".latents").floats();
      long[] expected = io.tensor(pipeline + ".picture").longs(); // (16, 16, 3)
      BufferedImage picture = Pictures.of(decoding.decode(new Latents(latents, 1, 4, 8, 8))).get(0);
      assertThat(expected).hasSize(picture.getHeight() * picture.getWidth() * 3);
      for (int i = 0; i < expected.length; i++) {
        int rgb = picture.getRGB(i / 3 % 16, i / 48);
        assertThat(rgb >> 16 - 8 * (i % 3) & 0xff).as("level %d", i).isEqualTo((int) expected[i]);
      }
    }
  }

  private void export(Path checkpoint, Path vae) {
    try (Checkpoint source = Checkpoint.open(checkpoint);
        Checkpoint autoencoder = Checkpoint.open(vae)) {
      Model model = Model.of(source, Choices.NONE.withPixelsPerElement(2));
      new Exporter(model, List.of(), ExportOptions.of("m"))
          .withDecoder(Autoencoder.of(autoencoder))
          .export(folder.resolve("models"));
    }
  }

  @Test
  void decode_forAnotherSize_resizesAndCrops() {
    export(true, new Resolution(24, 16), new Resolution(10, 10));
    try (Pipeline pipeline = Pipeline.open(folder, "m")) {
      Latents pixels = pipeline.decode(new Latents(new float[4 * 12 * 8], 1, 4, 12, 8));
      assertThat(List.of(pixels.height(), pixels.width())).containsExactly(10, 10);
      assertThat(pipeline.drawsPictures()).isTrue();
    }
  }

  @Test
  void decode_withoutDecoder_saysWhatIsMissing() {
    export(false, new Resolution(24, 16), null);
    try (Pipeline pipeline = Pipeline.open(folder, "m")) {
      assertThat(pipeline.drawsPictures()).isFalse();
      assertThatThrownBy(() -> pipeline.decode(new Latents(new float[4 * 12 * 8], 1, 4, 12, 8)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("export the model with `vae`");
      assertThatThrownBy(() -> pipeline.decode(new Latents(new float[4 * 8 * 8], 1, 4, 8, 8)))
          .hasMessage("latents are [4, 8, 8] a row, model m takes [4, 12, 8]");
    }
  }
}
