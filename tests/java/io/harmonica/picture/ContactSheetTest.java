package io.harmonica.picture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContactSheetTest {
  private static final int RED = 0xffff0000;
  private static final int GREEN = 0xff00ff00;
  private static final int BLUE = 0xff0000ff;

  @Test
  void draw_placesPicturesRowByRow() {
    BufferedImage sheet =
        new ContactSheet(2, 10).draw(List.of(picture(RED), picture(GREEN), picture(BLUE)));
    // Margins of 4 around pictures of 2 x 1 pixels, ten times as large.
    assertThat(sheet.getWidth()).isEqualTo(4 + 20 + 4 + 20 + 4);
    assertThat(sheet.getHeight()).isEqualTo(4 + 10 + 4 + 10 + 4);
    assertThat(sheet.getRGB(4, 4)).isEqualTo(RED);
    assertThat(sheet.getRGB(28, 13)).isEqualTo(GREEN);
    assertThat(sheet.getRGB(13, 27)).isEqualTo(BLUE); // the last pixel of the scaled-up first one
    assertThat(sheet.getRGB(14, 27)).isEqualTo(0xffffffff); // the second one begins
    assertThat(sheet.getRGB(24, 4)).isZero(); // the margin, transparent
    assertThat(sheet.getRGB(28, 18)).isZero(); // no fourth picture
  }

  @Test
  void draw_isNarrower_withFewerPicturesThanColumns() {
    assertThat(new ContactSheet(10, 1).draw(List.of(picture(RED))).getWidth()).isEqualTo(4 + 2 + 4);
  }

  @Test
  void draw_putsCaptionsBesideThePictures() {
    ContactSheet sheet =
        new ContactSheet(1, 10)
            .withColumnCaptions(List.of("too long for this"))
            .withRowCaptions(List.of("a", "bc"));
    BufferedImage image = sheet.draw(List.of(picture(RED), picture(GREEN)));
    int left = 4 + PixelFont.width("bc") + 8;
    int top = 4 + PixelFont.HEIGHT + 4;
    assertThat(image.getWidth()).isEqualTo(left + 20 + 4);
    assertThat(image.getHeight()).isEqualTo(top + 10 + 4 + 10 + 4);
    assertThat(image.getRGB(left, top)).isEqualTo(RED);
    assertThat(image.getRGB(left, top + 14)).isEqualTo(GREEN);
    assertThat(drawn(image, left, 0, 24, top)).isPositive();
    assertThat(drawn(image, 0, top, left, 10)).isPositive();
    assertThat(drawn(image, 0, top + 14, left, 10)).isPositive();
  }

  @Test
  void draw_refusesPicturesOfTwoSizes() {
    BufferedImage other = new BufferedImage(3, 1, BufferedImage.TYPE_INT_RGB);
    assertThatThrownBy(() -> new ContactSheet(2, 1).draw(List.of(picture(RED), other)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("picture 1 is 3 x 1, the first one 2 x 1");
  }

  @Test
  void constructor_refusesNoColumns() {
    assertThatThrownBy(() -> new ContactSheet(0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("columns 0");
  }

  /** Two pixels: a colour, then white. */
  private static BufferedImage picture(int rgb) {
    BufferedImage picture = new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB);
    picture.setRGB(0, 0, rgb);
    picture.setRGB(1, 0, 0xffffff);
    return picture;
  }

  private static int drawn(BufferedImage image, int x, int y, int width, int height) {
    int count = 0;
    for (int pixel : image.getRGB(x, y, width, height, null, 0, width)) {
      count += pixel != 0 ? 1 : 0;
    }
    return count;
  }
}
