package io.harmonica.picture;

import io.harmonica.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Pictures as PNG files. */
public final class Png {
  private Png() {}

  /** Writes a picture whole or not at all, folders too where they are missing. */
  public static void write(BufferedImage picture, Path file) {
    AtomicFile.write(file, bytes(picture));
  }

  /** The bytes of a PNG file. */
  public static byte[] bytes(BufferedImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    // In memory: ImageIO's own stream would go through a temporary file, where a disk may be full.
    try (ImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      if (!ImageIO.write(picture, "png", out)) {
        throw new IllegalArgumentException("no PNG writer for image type " + picture.getType());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
