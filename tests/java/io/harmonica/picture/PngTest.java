package io.harmonica.picture;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngTest {
  @TempDir Path folder;

  @Test
  void write_keepsEveryPixel() throws IOException {
    BufferedImage picture = new BufferedImage(3, 2, BufferedImage.TYPE_INT_ARGB);
    int[] pixels = {0xff010203, 0xfffefdfc, 0x00000000, 0x80112233, 0xff7a7a7a, 0xffffffff};
    picture.setRGB(0, 0, 3, 2, pixels, 0, 3);
    Path file = folder.resolve("new/picture.png");
    Png.write(picture, file);
    BufferedImage read = ImageIO.read(file.toFile());
    assertThat(read.getRGB(0, 0, 3, 2, null, 0, 3)).containsExactly(pixels);
  }
}
