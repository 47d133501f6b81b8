package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folders of Hugging Face's download cache: {@code models--ORG--NAME} with {@code refs/main},
 * which holds a hash, and {@code snapshots/HASH} (huggingface_hub, "Understand caching").
 */
public final class HubCache {
  private static final String SNAPSHOTS = "snapshots";
  private static final String REFERENCE = "refs/main";
  private static final String REPOSITORY = "models--";

  private HubCache() {}

  /**
   * The snapshot that the cache's folder of a repository leads to; any other path as it is.
   *
   * @throws HarmonicaException if it leads to none, or to several
   */
  public static Path snapshot(Path path) {
    Path snapshots = path.resolve(SNAPSHOTS);
    if (!Files.isDirectory(snapshots) || !isRepository(path)) {
      return path;
    }
    List<String> found = list(snapshots);
    Optional<String> main = main(path.resolve(REFERENCE));
    if (main.isPresent() && found.contains(main.get())) {
      return snapshots.resolve(main.get());
    }
    if (main.isEmpty() && found.size() == 1) {
      return snapshots.resolve(found.get(0));
    }
    if (found.isEmpty()) {
      throw new HarmonicaException(
          "%s is a folder of a download cache without snapshots: fetch the model again"
              .formatted(path));
    }
    throw new HarmonicaException(
        "%s is a folder of a download cache whose %s %s, and it has the snapshots %s: give the folder of one, such as %s"
            .formatted(
                path,
                REFERENCE,
                main.map(hash -> "is " + Messages.quote(hash)).orElse("is not there"),
                Messages.some(found),
                snapshots.resolve(found.get(0))));
  }

  /** The NAME of the repository whose folder in the cache this is, or a snapshot in it. */
  public static Optional<String> repository(Path folder) {
    Path normal = folder.toAbsolutePath().normalize();
    Path parent = normal.getParent();
    boolean inside = parent != null && name(parent).equals(SNAPSHOTS);
    Path top = inside && parent.getParent() != null ? parent.getParent() : normal;
    String name = name(top);
    return isRepository(top)
        ? Optional.of(name.substring(name.startsWith(REPOSITORY) ? name.lastIndexOf("--") + 2 : 0))
        : Optional.empty(); // the NAME itself has no --
  }

  private static boolean isRepository(Path folder) {
    return name(folder).startsWith(REPOSITORY)
        || (Files.isDirectory(folder.resolve("refs"))
            && Files.isDirectory(folder.resolve(SNAPSHOTS)));
  }

  private static String name(Path path) {
    return String.valueOf(path.toAbsolutePath().normalize().getFileName());
  }

  private static List<String> list(Path snapshots) {
    try (Stream<Path> folders = Files.list(snapshots)) {
      return folders
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw Messages.unreadable(snapshots, e);
    }
  }

  private static Optional<String> main(Path reference) {
    if (!Files.exists(reference)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readString(reference).strip());
    } catch (IOException e) {
      throw Messages.unreadable(reference, e);
    }
  }
}
