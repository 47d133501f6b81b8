package io.harmonica.picture;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

class PixelFontTest {

  @Test
  void draw_showsCapitals() {
    assertThat(drawn("F7"))
        .isEqualTo(
            """
            #####.#####
            #.........#
            #........#.
            ####....#..
            #......#...
            #......#...
            #......#...
            """);
  }

  @Test
  void draw_takesSmallLettersForCapitals() {
    assertThat(drawn("circle-2")).isEqualTo(drawn("CIRCLE-2"));
  }

  @Test
  void draw_showsABox_forWhatItLacks() {
    assertThat(drawn("é")).startsWith("#####\n#...#\n").endsWith("#...#\n#####\n");
  }

  @Test
  void fitting_cutsAtWholeCharacters() {
    assertThat(PixelFont.fitting("abcdef", 17)).isEqualTo("abc");
    assertThat(PixelFont.fitting("abcdef", 16)).isEqualTo("ab");
    assertThat(PixelFont.fitting("ab", 100)).isEqualTo("ab");
  }

  private static String drawn(String text) {
    BufferedImage image =
        new BufferedImage(PixelFont.width(text), PixelFont.HEIGHT, BufferedImage.TYPE_INT_ARGB);
    PixelFont.draw(image, text, 0, 0, 0xff000000);
    StringBuilder rows = new StringBuilder();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        rows.append(image.getRGB(x, y) == 0 ? '.' : '#');
      }
      rows.append('\n');
    }
    return rows.toString();
  }
}
