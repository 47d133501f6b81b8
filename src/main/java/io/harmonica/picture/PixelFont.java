package io.harmonica.picture;

import java.awt.image.BufferedImage;
import java.util.HashMap;
import java.util.Map;

/**
 * Capitals of 5 x 7 pixels, for captions: AWT's own text fails on machines that have no fonts, as
 * containers often do.
 */
final class PixelFont {
  static final int HEIGHT = 7;
  private static final int ADVANCE = 6;

  /** A character and its five columns from the left, the topmost pixel in the lowest bit. */
  private static final String GLYPHS =
      """
      0 3e5149453e 1 00427f4000 2 4261514946 3 2141454b31 4 1814127f10 5 2745454539
      6 3c4a494930 7 0171090503 8 3649494936 9 064949291e
      A 7e1111117e B 7f49494936 C 3e41414122 D 7f4141221c E 7f49494941 F 7f09090901
      G 3e4149497a H 7f0808087f I 00417f4100 J 2040413f01 K 7f08142241 L 7f40404040
      M 7f020c027f N 7f0408107f O 3e4141413e P 7f09090906 Q 3e4151215e R 7f09192946
      S 4649494931 T 01017f0101 U 3f4040403f V 1f2040201f W 3f4038403f X 6314081463
      Y 0708700807 Z 6151494543
      - 0808080808 . 0060600000 , 0050300000 : 0036360000 / 2010080402 % 2313086462
      + 08083e0808 = 1414141414 _ 4040404040 # 147f147f14 ( 001c224100 ) 0041221c00
      """;

  private static final long UNKNOWN = 0x7f4141417fL;
  private static final Map<Character, Long> COLUMNS = columns();

  private PixelFont() {}

  static int width(String text) {
    return Math.max(0, text.length() * ADVANCE - 1);
  }

  /** The longest start of a text that is at most so many pixels wide. */
  static String fitting(String text, int width) {
    return text.substring(0, Math.min(text.length(), (width + 1) / ADVANCE));
  }

  /** Draws a text, its top left corner at (x, y). */
  static void draw(BufferedImage image, String text, int x, int y, int argb) {
    for (int i = 0; i < text.length(); i++) {
      char character = Character.toUpperCase(text.charAt(i));
      long glyph = character == ' ' ? 0 : COLUMNS.getOrDefault(character, UNKNOWN);
      for (int column = 0; column < 5; column++) {
        long bits = glyph >> 8 * (4 - column);
        for (int row = 0; row < HEIGHT; row++) {
          if ((bits >> row & 1) == 1) {
            image.setRGB(x + i * ADVANCE + column, y + row, argb);
          }
        }
      }
    }
  }

  private static Map<Character, Long> columns() {
    Map<Character, Long> columns = new HashMap<>();
    String[] words = GLYPHS.strip().split("\\s+");
    for (int i = 0; i < words.length; i += 2) {
      columns.put(words[i].charAt(0), Long.parseLong(words[i + 1], 16));
    }
    return columns;
  }
}
