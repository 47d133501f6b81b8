package io.harmonica.export;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a repository holds before an export: of the same model, which {@code --force} replaces, and
 * of others, which nothing touches. Whose a folder is its configuration says, and not its name.
 */
record Occupants(Path repository, ExportOptions options) {

  /** What is no content: this project's own repository has a README, a mounted disk the other. */
  private static final Set<String> NOTHING = Set.of("README.md", "lost+found");

  /**
   * Refuses to write over anything.
   *
   * @param names of the folders to be written
   */
  void requireRoom(Collection<String> names) throws IOException {
    if (Files.exists(repository) && !Files.isDirectory(repository)) {
      throw new HarmonicaException(
          "`modelRepository` %s is a file, expected a folder or a new name".formatted(repository));
    }
    requireRepository();
    List<Path> previous = previous();
    if (!previous.isEmpty() && !options.writing().force()) {
      throw new HarmonicaException(
          "`modelRepository` %s has model %s already: add `force` to replace it, or choose another `modelName`"
              .formatted(repository, options.modelName()));
    }
    for (String name : names) {
      Path folder = repository.resolve(name);
      if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS) && !previous.contains(folder)) {
        throw taken(folder);
      }
    }
  }

  /** A folder of other things, as a checkpoint's own, is named by mistake. */
  private void requireRepository() throws IOException {
    if (options.writing().force() || !Files.isDirectory(repository)) {
      return;
    }
    List<String> content;
    try (Stream<Path> files = Files.list(repository)) {
      content =
          files
              .map(path -> path.getFileName().toString())
              .filter(name -> !name.startsWith(".") && !NOTHING.contains(name))
              .sorted()
              .toList();
    }
    boolean holdsModels = false;
    for (String name : content) {
      holdsModels |= isModel(repository.resolve(name));
    }
    if (!content.isEmpty() && !holdsModels) {
      throw new HarmonicaException(
          "`modelRepository` %s holds no models, but %s%s: name a repository or a new folder, or add `force` to write there all the same"
              .formatted(
                  repository,
                  content.get(0),
                  content.size() > 1 ? " and " + (content.size() - 1) + " more" : ""));
    }
  }

  /** Whether Triton would take a folder for a model: of a configuration, or a version. */
  private static boolean isModel(Path folder) throws IOException {
    return Files.isDirectory(folder)
        && Files.isReadable(folder)
        && (Files.exists(folder.resolve(ConfigFile.NAME))
            || folders(folder).stream()
                .anyMatch(version -> version.getFileName().toString().matches("\\d+")));
  }

  /** The folders of this model. */
  List<Path> previous() throws IOException {
    return Files.isDirectory(repository)
        ? folders(repository).stream()
            .filter(folder -> owner(folder).filter(options.modelName()::equals).isPresent())
            .toList()
        : List.of();
  }

  /** Whether everything in a folder is of this model. */
  boolean ownsAll(Path parent) throws IOException {
    return new Occupants(parent, options).previous().equals(folders(parent));
  }

  List<Path> baseFirst(List<Path> folders) {
    Path base = Path.of(options.modelName());
    return folders.stream()
        .sorted(Comparator.comparing(folder -> !folder.endsWith(base)))
        .collect(Collectors.toCollection(ArrayList::new));
  }

  /** The fault of something that has a name of this model's and is no part of it. */
  static HarmonicaException taken(Path folder) {
    return new HarmonicaException(
        "%s is there already and %s; move it away, or choose another `modelName` or router name"
            .formatted(
                folder,
                owner(folder)
                    .map(other -> "part of model " + other)
                    .orElse("no part of this model")));
  }

  private static Optional<String> owner(Path folder) {
    if (!Files.exists(folder.resolve(ConfigFile.NAME))) {
      return Optional.empty();
    }
    try {
      return Role.owner(ConfigFile.read(folder));
    } catch (HarmonicaException e) {
      return Optional.empty(); // what cannot be read is not from here
    }
  }

  static List<Path> folders(Path parent) throws IOException {
    try (Stream<Path> files = Files.list(parent)) {
      return files.filter(Files::isDirectory).sorted().toList();
    }
  }
}
