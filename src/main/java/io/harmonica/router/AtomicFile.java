package io.harmonica.router;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Small files, written whole or not at all. */
public final class AtomicFile {
  private static final long MAX_READ_BYTES = 64L << 20;

  private AtomicFile() {}

  /** Writes a temporary sibling and moves it into place; missing folders are made. */
  public static void write(Path file, byte[] bytes) {
    Path target = file.toAbsolutePath();
    Path sibling =
        target.resolveSibling(
            ".%s.%d.tmp".formatted(target.getFileName(), ProcessHandle.current().pid()));
    try {
      Files.createDirectories(target.getParent());
      try {
        Files.write(sibling, bytes);
        Files.move(
            sibling, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(sibling);
      }
    } catch (IOException e) {
      throw new HarmonicaException("cannot write %s: %s".formatted(file, reason(e)), e);
    }
  }

  /**
   * Reads a text file.
   *
   * @param what what the file is, for messages
   */
  public static String readString(Path file, String what) {
    try {
      long size = Files.size(file);
      if (size > MAX_READ_BYTES) {
        throw new HarmonicaException(
            "%s %s has %d bytes, expected at most %d: it is something else"
                .formatted(what, file, size, MAX_READ_BYTES));
      }
      return Files.readString(file);
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s %s: %s".formatted(what, file, reason(e)), e);
    }
  }

  /** What went wrong, in words: the messages of file system faults often hold the path alone. */
  public static String reason(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof CharacterCodingException) {
      return "it is not UTF-8 text";
    }
    if (e instanceof FileSystemException fault && fault.getReason() != null) {
      return fault.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
