package io.harmonica;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * Tells a file that is not there from a link whose target is gone, as in a download cache that was
 * mounted or copied without its blobs: the first may be left out, the second was meant to be read.
 */
public final class Links {
  private Links() {}

  /**
   * Whether a file or folder is there.
   *
   * @throws HarmonicaException if it is a link whose target is gone
   */
  public static boolean exists(Path path) {
    if (isGone(path)) {
      throw gone(path);
    }
    return Files.exists(path);
  }

  /** Whether it is a link, and its target is gone. */
  public static boolean isGone(Path path) {
    if (!Files.isSymbolicLink(path)) {
      return false;
    }
    try {
      Files.readAttributes(path, BasicFileAttributes.class);
      return false;
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException e) {
      return false; // there, but not for us: reading it says why
    }
  }

  /** The fault of a link whose target is gone. */
  public static HarmonicaException gone(Path link) {
    return new HarmonicaException(
        "%s is a link to %s, which is gone: give a copy without links (cp -rL), or mount the whole download cache, blobs and all"
            .formatted(link, target(link)));
  }

  private static String target(Path link) {
    try {
      return HarmonicaException.oneLine(Files.readSymbolicLink(link).toString());
    } catch (IOException e) {
      return "a file"; // it was a link a moment ago
    }
  }
}
