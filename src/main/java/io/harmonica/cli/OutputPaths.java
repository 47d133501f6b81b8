package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Refuses places that nothing can be written to: now rather than after minutes of work. */
final class OutputPaths {
  private OutputPaths() {}

  /** A file, in a folder that is there or can be made. */
  static void requireFile(String option, Path file) {
    Path parent = existing(file.toAbsolutePath().getParent());
    if (parent == null || !Files.isDirectory(parent) || Files.isDirectory(file)) {
      throw new HarmonicaException(
          "--%s %s cannot be written, expected a file in a folder".formatted(option, file));
    }
  }

  /** A folder that is there or can be made. */
  static void requireFolder(String option, Path folder) {
    Path there = existing(folder.toAbsolutePath());
    if (there != null && !Files.isDirectory(there)) {
      throw new HarmonicaException(
          "--%s %s cannot be a folder: %s is a file".formatted(option, folder, there));
    }
  }

  /** Refuses what is no safetensors file by its name, as reading it would. */
  static void requireTensorName(String option, Path file) {
    if (!file.toString().endsWith(".safetensors")) {
      throw new HarmonicaException(
          "--%s %s is no .safetensors file by its name: give it one that ends so"
              .formatted(option, file));
    }
  }

  /** Refuses what cannot be written, or not be read again. */
  static void requireTensorFile(String option, Path file) {
    requireFile(option, file);
    requireTensorName(option, file);
  }

  /** The path, or the nearest above it that exists. */
  private static Path existing(Path path) {
    Path there = path;
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    return there;
  }
}
