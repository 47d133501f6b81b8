package io.harmonica.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.awt.image.BufferedImage;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PicturesTest {

  @Test
  void of_roundsAsNumpy() {
    // The bytes that (np.clip(x / 2 + .5, 0, 1) * 255).round() gives for these, in float32. The
    // last three fall on 64.5, 65.5 and 66.5: half to even.
    float[] values = {-2, -1, -0.5f, 0, 0.25f, 1, 3, -0.49411762f, -0.48627448f, -0.47843134f};
    BufferedImage grey = Pictures.of(new Latents(values, 1, 1, 1, 10)).get(0);
    assertThat(IntStream.range(0, 10).map(x -> grey.getRGB(x, 0) & 0xff))
        .containsExactly(0, 0, 64, 128, 159, 255, 255, 64, 66, 66);
  }

  @Test
  void of_readsChannelsRowsAndSamplesInOrder() {
    float[] values = new float[2 * 3 * 2 * 2];
    java.util.Arrays.fill(values, -1);
    values[2] = 1; // sample 0, red, row 1, column 0
    values[4 + 1] = 1; // sample 0, green, row 0, column 1
    values[12 + 8 + 3] = 1; // sample 1, blue, row 1, column 1
    var pictures = Pictures.of(new Latents(values, 2, 3, 2, 2));
    assertThat(pictures).hasSize(2);
    assertThat(pictures.get(0).getRGB(0, 1)).isEqualTo(0xffff0000);
    assertThat(pictures.get(0).getRGB(1, 0)).isEqualTo(0xff00ff00);
    assertThat(pictures.get(0).getRGB(0, 0)).isEqualTo(0xff000000);
    assertThat(pictures.get(1).getRGB(1, 1)).isEqualTo(0xff0000ff);
  }

  @Test
  void of_makesOneChannelGrey() {
    BufferedImage grey = Pictures.of(new Latents(new float[] {0}, 1, 1, 1, 1)).get(0);
    assertThat(grey.getRGB(0, 0)).isEqualTo(0xff808080);
  }

  @Test
  void of_asksForADecoder_forFourChannels() {
    assertThatThrownBy(() -> Pictures.of(new Latents(new float[4], 1, 4, 1, 1)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll("latents of 4 channels", "decoder", "`saveLatents`");
  }

  @Test
  void of_refusesNaN() {
    assertThatThrownBy(() -> Pictures.of(new Latents(new float[] {0, Float.NaN}, 2, 1, 1, 1)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("sample 1 holds NaN");
  }
}
