package io.harmonica;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes a file whole or not at all: to a temporary sibling, which then moves into place. */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes a file, its folders too where they are missing; replaces one that is there. */
  public static void write(Path file, byte[] content) {
    Path target = file.toAbsolutePath();
    if (Files.isDirectory(target)) {
      throw new HarmonicaException("%s is a folder, expected a file in it".formatted(file));
    }
    Path sibling = target.resolveSibling("." + target.getFileName() + ".part");
    try {
      Files.createDirectories(target.getParent());
      try {
        Files.write(sibling, content);
        Files.move(
            sibling, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(sibling);
      }
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot write %s (%d bytes): %s; %sname another folder"
              .formatted(file, content.length, reason(e), isFull(e) ? "free space there or " : ""),
          e);
    }
  }

  private static boolean isFull(IOException e) {
    return String.valueOf(e.getMessage()).matches(".*(No space left|Disk quota exceeded).*");
  }

  /** What went wrong, in words: messages of file faults often hold the path alone. */
  public static String reason(IOException e) {
    if (e instanceof NoSuchFileException missing) {
      return missing.getFile() + " does not exist";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException exists) {
      return exists.getFile() + " is a file, not a folder";
    }
    if (e instanceof CharacterCodingException) {
      return "it is not UTF-8 text";
    }
    if (e instanceof FileSystemException system && system.getReason() != null) {
      return system.getFile() + ": " + system.getReason();
    }
    return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
  }
}
