package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QualityTest {

  /**
   * The numbers are scikit-image 0.26.0's, on the same pictures in float64: {@code
   * peak_signal_noise_ratio(a, b, data_range=1)} and {@code structural_similarity(a, b,
   * data_range=1, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)}.
   */
  @ParameterizedTest
  @CsvSource({
    "3, 32, 32, 2048, 23.22995913883838, 0.7021902885900126",
    "3, 32, 32, 512, 12.131579341845747, 0.28041499319720425",
    "1, 13, 17, 1024, 17.157302929332484, 0.23529779245015367"
  })
  void of_agreesWithScikitImage(
      int channels, int height, int width, int quiet, double psnr, double ssim) {
    Latents reference = pattern(channels, height, width, Integer.MAX_VALUE);
    Quality quality = Quality.of(reference, pattern(channels, height, width, quiet));
    assertThat(quality.meanPsnrDecibels()).isCloseTo(psnr, within(1e-9));
    assertThat(quality.meanSsim()).isCloseTo(ssim, within(1e-9));
  }

  @Test
  void of_isInfinite_forIdenticalPictures() {
    Latents pictures = pattern(3, 16, 16, 512);
    Quality quality = Quality.of(pictures, pictures);
    assertThat(quality.psnrDecibels()).containsExactly(Double.POSITIVE_INFINITY);
    assertThat(quality.meanSsim()).isCloseTo(1, within(1e-12));
  }

  @Test
  void of_averagesDecibelsOverPictures() {
    // Brightness 0.5 against 0.6 and 0.51: errors of 0.1 and 0.01, so 20 and 40 dB.
    Latents reference = flat(0, 0);
    Quality quality = Quality.of(reference, flat(0.2f, 0.02f));
    assertThat(quality.psnrDecibels().get(0)).isCloseTo(20, within(1e-4));
    assertThat(quality.psnrDecibels().get(1)).isCloseTo(40, within(1e-4));
    assertThat(quality.meanPsnrDecibels()).isCloseTo(30, within(1e-4));
  }

  @Test
  void of_clampsBeforeItCompares() {
    assertThat(Quality.of(flat(1, -1), flat(7, -7)).meanPsnrDecibels()).isInfinite();
  }

  @Test
  void of_refusesOtherShapes() {
    assertThatThrownBy(() -> Quality.of(pattern(3, 16, 16, 1), pattern(3, 16, 32, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("[1, 3, 16, 32]", "[1, 3, 16, 16]");
  }

  @Test
  void of_refusesNaN() {
    assertThatThrownBy(() -> Quality.of(flat(0, 0), flat(0, Float.NaN)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("sample 1 holds NaN");
  }

  @Test
  void of_asksForADecoder_forFourChannels() {
    Latents latents = pattern(4, 16, 16, 1);
    assertThatThrownBy(() -> Quality.of(latents, latents))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("decoder");
  }

  /** A saw tooth with noise, every value exact in fp32, so that Python makes the same. */
  private static Latents pattern(int channels, int height, int width, int quiet) {
    float[] values = new float[channels * height * width];
    for (int i = 0; i < values.length; i++) {
      int saw = i / width % height * 8 + i % width * 4 + i / (height * width) * 40;
      float noise = quiet == Integer.MAX_VALUE ? 0 : (float) (i * 7919 % 1009 - 504) / quiet;
      values[i] = (saw % 256 - 128) / 128f + noise;
    }
    return new Latents(values, 1, channels, height, width);
  }

  /** Two grey pictures of 12 x 12. */
  private static Latents flat(float first, float second) {
    float[] values = new float[2 * 144];
    Arrays.fill(values, 0, 144, first);
    Arrays.fill(values, 144, 288, second);
    return new Latents(values, 2, 1, 12, 12);
  }
}
