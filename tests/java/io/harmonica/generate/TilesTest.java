package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.picture.Latents;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

class TilesTest {

  private static Latents plane(int height, int width, IntBinaryOperator value) {
    float[] values = new float[height * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = value.applyAsInt(i / width, i % width);
    }
    return new Latents(values, 1, 1, height, width);
  }

  /** Each element becomes a square of {@code factor} pixels. */
  private static Latents enlarged(Latents from, int factor) {
    return plane(
        from.height() * factor,
        from.width() * factor,
        (y, x) -> (int) from.values()[y / factor * from.width() + x / factor]);
  }

  @Test
  void decode_ofWhatFits_isDecodedWhole() {
    List<Latents> parts = new ArrayList<>();
    Latents latents = plane(8, 5, (y, x) -> y * 10 + x);
    Latents picture =
        new Tiles(8, 3)
            .decode(
                latents,
                part -> {
                  parts.add(part);
                  return enlarged(part, 3);
                });
    assertThat(parts).containsExactly(latents);
    assertThat(picture.height()).isEqualTo(24);
  }

  @Test
  void decode_ofALocalDecoder_isWhatItWouldMakeOfTheWhole() {
    Latents latents = plane(21, 13, (y, x) -> y * 100 + x);
    Latents picture = new Tiles(8, 2).decode(latents, part -> enlarged(part, 2));
    Latents whole = enlarged(latents, 2);
    assertThat(picture.height()).isEqualTo(42);
    assertThat(picture.width()).isEqualTo(26);
    for (int i = 0; i < whole.values().length; i++) {
      assertThat(picture.values()[i]).isCloseTo(whole.values()[i], within(2e-4f));
    }
  }

  @Test
  void tiles_overlapByAQuarter_andFadeThere() {
    List<Integer> sizes = new ArrayList<>();
    // Tiles 0, 1 above, 2, 3 below: each is filled with its number.
    Latents picture =
        new Tiles(8, 1)
            .decode(
                plane(12, 11, (y, x) -> 0),
                part -> {
                  int number = sizes.size();
                  sizes.add(part.height() * 100 + part.width());
                  return plane(part.height(), part.width(), (y, x) -> number);
                });
    assertThat(sizes).containsExactly(808, 805, 608, 605);
    assertThat(row(picture, 0)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0.5f, 1, 1, 1);
    // In the corner the upper tiles, faded already, fade again: as diffusers has it.
    assertThat(row(picture, 6)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0.25f, 1, 1, 1);
    assertThat(row(picture, 7)).containsExactly(1, 1, 1, 1, 1, 1, 1, 1.375f, 2, 2, 2);
    assertThat(row(picture, 8)).containsExactly(2, 2, 2, 2, 2, 2, 2, 2.5f, 3, 3, 3);
  }

  private static float[] row(Latents picture, int row) {
    int width = picture.width();
    return java.util.Arrays.copyOfRange(picture.values(), row * width, (row + 1) * width);
  }
}
