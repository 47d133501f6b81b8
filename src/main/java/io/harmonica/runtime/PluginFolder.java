package io.harmonica.runtime;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Where installed plugins lie: a folder for each, in {@code $HARMONICA_DEVICES}, else in the user's
 * cache.
 */
final class PluginFolder {
  /** A library with its whole version, {@code libx.so.1.7.1}; others look for {@code libx.so.1}. */
  private static final Pattern VERSIONED = Pattern.compile("(.+\\.so\\.\\d+)\\.[\\d.]+");

  private final Path root;

  PluginFolder(Path root) {
    this.root = root;
  }

  static PluginFolder ofUser() {
    String named = System.getenv("HARMONICA_DEVICES");
    if (named != null) {
      return new PluginFolder(Path.of(named));
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    Path caches =
        cache == null ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
    return new PluginFolder(caches.resolve("harmonica").resolve("devices"));
  }

  private Path folder(KnownPlugin plugin) {
    return root.resolve(plugin.word() + "-" + plugin.version());
  }

  /** The plugin's own library, there or not. */
  Path library(KnownPlugin plugin) {
    return folder(plugin).resolve(plugin.library());
  }

  boolean has(KnownPlugin plugin) {
    return Files.isRegularFile(library(plugin));
  }

  /**
   * Unpacks a plugin's package, whole or not at all; replaces one that is there.
   *
   * @return the plugin's folder
   * @throws HarmonicaException if it is another file than the one that was tried, or the folder
   *     cannot be written
   */
  Path install(KnownPlugin plugin, Path wheel) {
    requireDigest(plugin, wheel);
    Path target = folder(plugin).toAbsolutePath();
    Path sibling = target.resolveSibling("." + target.getFileName() + ".part");
    try {
      delete(sibling);
      Files.createDirectories(sibling);
      try {
        unpack(wheel, sibling);
        link(sibling);
        delete(target);
        Files.move(sibling, target, StandardCopyOption.ATOMIC_MOVE);
        return target;
      } finally {
        delete(sibling);
      }
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot install device %s in %s: %s; free space there, or name another folder by HARMONICA_DEVICES=DIR"
              .formatted(plugin.word(), target, AtomicFile.reason(e)),
          e);
    }
  }

  private static void requireDigest(KnownPlugin plugin, Path wheel) {
    if (!Files.isRegularFile(wheel)) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          "no file at %s: name the package of device %s, %s %s"
              .formatted(wheel, plugin.word(), plugin.distribution(), plugin.version()));
    }
    String found = digest(wheel);
    if (!found.equals(plugin.sha256())) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          "%s is not the package of device %s: SHA-256 %s, expected %s; get it on a machine with network by pip download --no-deps %s==%s"
              .formatted(
                  wheel,
                  plugin.word(),
                  found,
                  plugin.sha256(),
                  plugin.distribution(),
                  plugin.version()));
    }
  }

  private static String digest(Path file) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      try (InputStream bytes = new DigestInputStream(Files.newInputStream(file), sha256)) {
        bytes.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(file, AtomicFile.reason(e)), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** All files side by side, whatever their folders: libraries, and the licences beside them. */
  private static void unpack(Path wheel, Path folder) throws IOException {
    try (ZipFile archive = new ZipFile(wheel.toFile())) {
      Enumeration<? extends ZipEntry> entries = archive.entries();
      while (entries.hasMoreElements()) {
        ZipEntry entry = entries.nextElement();
        String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        if (!name.isEmpty() && !name.endsWith(".py") && !name.equals("RECORD")) {
          try (InputStream bytes = archive.getInputStream(entry)) {
            Files.copy(bytes, folder.resolve(name));
          }
        }
      }
    }
  }

  /** The names by which libraries look for each other; archives of this kind hold no links. */
  private static void link(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        Matcher versioned = VERSIONED.matcher(file.getFileName().toString());
        if (versioned.matches()) {
          Path name = folder.resolve(versioned.group(1));
          if (!Files.exists(name)) {
            Files.createSymbolicLink(name, file.getFileName());
          }
        }
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      List<Path> all;
      try (Stream<Path> files = Files.walk(folder)) {
        all = files.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path file : all) {
        Files.delete(file);
      }
    }
  }
}
