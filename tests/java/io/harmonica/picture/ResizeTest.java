package io.harmonica.picture;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ResizeTest {

  @Test
  void to_ownSize_leavesAsItIs() {
    Latents pixels = new Latents(new float[] {1, 2, 3, 4}, 1, 1, 2, 2);
    assertThat(Resize.to(pixels, 2, 2)).isSameAs(pixels);
  }

  @Test
  void to_larger_interpolatesBetweenCentres() {
    Latents pixels = new Latents(new float[] {0, 4, 8, 12}, 1, 1, 2, 2);
    // torch.nn.functional.interpolate(mode="bilinear", align_corners=False) to 4 x 4
    assertThat(Resize.to(pixels, 4, 4).values())
        .containsExactly(0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12);
  }

  @Test
  void to_anotherRatio_coversAndCropsAboutTheCentre() {
    float[] values = {0, 1, 2, 3, 10, 11, 12, 13};
    Latents pixels = new Latents(values, 1, 2, 1, 4);
    assertThat(Resize.to(pixels, 1, 2).values()).containsExactly(1, 2, 11, 12);
  }

  @Test
  void to_smaller_takesWhatLiesAtTheCentres() {
    float[] values = new float[16];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    assertThat(Resize.to(new Latents(values, 1, 1, 4, 4), 2, 2).values())
        .containsExactly(2.5f, 4.5f, 10.5f, 12.5f);
  }
}
