package io.harmonica.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A file that exists only while something reads it. */
final class TempFile {
  private TempFile() {}

  /** Always a new file: some file systems are slow to overwrite one that is still mapped. */
  static void holding(byte[] content, String suffix, Consumer<Path> reader) throws IOException {
    Path file = Files.createTempFile("harmonica", suffix);
    try {
      Files.write(file, content);
      reader.accept(file);
    } finally {
      Files.delete(file);
    }
  }
}
