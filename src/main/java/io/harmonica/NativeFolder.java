package io.harmonica;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where libraries with native code unpack it to load it from, and what is said where that cannot
 * be: a folder that is read-only or mounted noexec, a C library that the code was not built for.
 */
public final class NativeFolder {
  /** The setting that mends every one of them. */
  private static final String SETTING = "JAVA_OPTS=-Djava.io.tmpdir=DIR";

  private static final Path MAPS = Path.of("/proc/self/maps");
  private static final long MEBIBYTE = 1 << 20;

  private NativeFolder() {}

  /** Java's folder for temporary files. */
  public static Path temporary() {
    return Path.of(System.getProperty("java.io.tmpdir"));
  }

  /**
   * The first folder that can be written to and that lets code run; it is made where it is missing.
   *
   * @param library as its users know it
   * @throws HarmonicaException if none is
   */
  public static Path choose(String library, Path... folders) {
    List<String> obstacles = new ArrayList<>();
    for (Path folder : folders) {
      Optional<String> obstacle = obstacle(folder);
      if (obstacle.isEmpty()) {
        return folder;
      }
      obstacles.add(folder + " " + obstacle.get());
    }
    throw new HarmonicaException(
        "%s cannot unpack its native code: %s; name a folder that can be written to and lets programs run with %s"
            .formatted(library, String.join(", ", obstacles), SETTING));
  }

  /**
   * Words for a library that does not load.
   *
   * @param folder that it was unpacked into
   * @param remedy for what is neither the folder's fault nor the C library's
   */
  public static HarmonicaException fault(
      String library, Path folder, String remedy, Throwable fault) {
    if (isMusl(MAPS)) {
      return new HarmonicaException(
          "%s does not load (%s): it is built for the C library glibc, and this machine has musl; run on a system with glibc (Debian, Ubuntu, Red Hat, ...; in a container eclipse-temurin:17-jdk, not -alpine)"
              .formatted(library, reason(fault)),
          fault);
    }
    Optional<String> obstacle = obstacle(folder);
    if (obstacle.isPresent()) {
      return new HarmonicaException(
          "%s cannot load its native code: %s, which a setting names, %s; name one that can be written to and lets programs run"
              .formatted(library, folder, obstacle.get()),
          fault);
    }
    return new HarmonicaException(
        "%s does not load (%s) from %s, which has %d MiB free: %s"
            .formatted(library, reason(fault), folder, freeMebibytes(folder), remedy),
        fault);
  }

  /** Why code cannot be unpacked there and run, if so. */
  private static Optional<String> obstacle(Path folder) {
    try {
      if (!Files.isDirectory(folder)) { // a link to one is one, which createDirectories denies
        Files.createDirectories(folder);
      }
      Path probe = Files.createTempFile(folder, "harmonica", null);
      try {
        // On a mount without programs no file counts as one, not even root's.
        return probe.toFile().setExecutable(true) && Files.isExecutable(probe)
            ? Optional.empty()
            : Optional.of("is mounted noexec");
      } finally {
        Files.deleteIfExists(probe);
      }
    } catch (IOException e) {
      return Optional.of("cannot be written to (%s)".formatted(AtomicFile.reason(e)));
    }
  }

  /**
   * Whether a process runs on musl.
   *
   * @param mapped its mapped files, as the system lists them
   */
  static boolean isMusl(Path mapped) {
    try (Stream<String> maps = Files.lines(mapped)) {
      return maps.anyMatch(line -> line.matches(".*/(ld-musl-[^/]*|libc\\.musl-[^/]*|libc\\.so)"));
    } catch (IOException e) {
      return false; // no Linux, so no musl
    }
  }

  private static long freeMebibytes(Path folder) {
    try {
      return Files.getFileStore(folder).getUsableSpace() / MEBIBYTE;
    } catch (IOException e) {
      return 0;
    }
  }

  /** The innermost cause's first line: libraries hide what was missing behind their own words. */
  private static String reason(Throwable fault) {
    Throwable inner = fault;
    while (inner.getCause() != null) {
      inner = inner.getCause();
    }
    return String.valueOf(inner.getMessage()).lines().findFirst().orElse(inner.toString());
  }
}
