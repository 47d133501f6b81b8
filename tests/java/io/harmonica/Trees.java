package io.harmonica;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What folders hold. */
public final class Trees {
  private Trees() {}

  /** Every file and folder below one, by its path in it, with its content; a folder has none. */
  public static Map<String, ByteBuffer> of(Path folder) {
    try (Stream<Path> paths = Files.walk(folder)) {
      Map<String, ByteBuffer> tree = new TreeMap<>();
      for (Path path : paths.toList()) {
        byte[] content = Files.isDirectory(path) ? new byte[0] : Files.readAllBytes(path);
        tree.put(folder.relativize(path).toString(), ByteBuffer.wrap(content));
      }
      return tree;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
