package io.harmonica.results;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.router.Router;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The first 16 hex digits of SHA-256: enough to tell versions of a file apart. */
final class Digest {
  private Digest() {}

  static String of(byte[] content) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Of a file, or of the files right in a folder, subfolders aside. */
  static String of(Path path) {
    try {
      if (Files.isRegularFile(path)) {
        return of(Files.readAllBytes(path));
      }
      StringBuilder all = new StringBuilder();
      try (Stream<Path> files = Files.list(path)) {
        List<Path> sorted = files.filter(Files::isRegularFile).sorted().toList();
        for (Path file : sorted) {
          all.append(file.getFileName()).append(' ').append(of(file)).append('\n');
        }
      }
      return of(all.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of several folders; of one, its own. */
  static String of(List<Path> folders) {
    if (folders.size() == 1) {
      return of(folders.get(0));
    }
    String all = folders.stream().map(Digest::of).collect(Collectors.joining("\n"));
    return of(all.getBytes(StandardCharsets.UTF_8));
  }

  /** Of what a router does, not of its name or how it came to be. */
  static String of(Router router) {
    return of(named(router, "router").toJson().getBytes(StandardCharsets.UTF_8));
  }

  /** The router under another name, without its story. */
  static Router named(Router router, String name) {
    return new Router(
        name,
        router.model(),
        router.sampler(),
        router.steps(),
        router.timesteps(),
        router.threshold(),
        router.branches(),
        router.runs(),
        router.scores(),
        router.reuse(),
        JsonNodeFactory.instance.objectNode());
  }
}
