package io.harmonica.features;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * The PNG files of a folder in the order of their names, all of one size; a contact sheet {@value
 * #SHEET}, as {@code generate} leaves it beside them, does not count.
 */
record PictureFolder(Path folder, List<Path> files) {
  static final String SHEET = "sheet.png";

  static PictureFolder of(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      List<Path> files =
          all.filter(file -> name(file).endsWith(".png") && !name(file).equals(SHEET))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        throw new HarmonicaException(
            "no PNG files in %s: name the folder that holds the pictures".formatted(folder));
      }
      return new PictureFolder(folder, files);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot list the pictures in %s: %s".formatted(folder, AtomicFile.reason(e)), e);
    }
  }

  /** Pictures {@code from} (inclusive) to {@code to} (exclusive) as RGB in [-1, 1]. */
  Latents read(int from, int to) {
    BufferedImage first = read(files.get(0));
    int height = first.getHeight();
    int width = first.getWidth();
    int plane = height * width;
    float[] values = new float[(to - from) * 3 * plane];
    for (int i = from; i < to; i++) {
      BufferedImage picture = read(files.get(i));
      if (picture.getHeight() != height || picture.getWidth() != width) {
        throw new HarmonicaException(
            "%s has %d x %d pixels, %s has %d x %d: keep pictures of one size in the folder"
                .formatted(
                    files.get(i),
                    picture.getWidth(),
                    picture.getHeight(),
                    files.get(0),
                    width,
                    height));
      }
      for (int pixel = 0; pixel < plane; pixel++) {
        int rgb = picture.getRGB(pixel % width, pixel / width);
        for (int colour = 0; colour < 3; colour++) {
          int level = rgb >> 8 * (2 - colour) & 0xff;
          values[((i - from) * 3 + colour) * plane + pixel] = level / 127.5f - 1;
        }
      }
    }
    return new Latents(values, to - from, 3, height, width);
  }

  private static BufferedImage read(Path file) {
    try {
      BufferedImage picture = ImageIO.read(file.toFile());
      if (picture == null) {
        throw new HarmonicaException("%s is no PNG file that can be read".formatted(file));
      }
      return picture;
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read picture %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  private static String name(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT);
  }
}
