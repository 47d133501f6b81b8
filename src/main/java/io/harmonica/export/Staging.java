package io.harmonica.export;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The temporary sibling of a repository: moved into place when whole, deleted otherwise. */
final class Staging implements AutoCloseable {
  private final Path repository;
  private final Path folder;
  private final ExportOptions options;
  private final Thread cleaner;

  private Staging(Path repository, Path folder, ExportOptions options) {
    this.repository = repository;
    this.folder = folder;
    this.options = options;
    this.cleaner = new Thread(() -> delete(folder)); // for Ctrl-C
    Runtime.getRuntime().addShutdownHook(cleaner);
  }

  /**
   * Begins an export.
   *
   * @throws HarmonicaException if the repository is no folder, or not empty without {@code force}
   */
  static Staging of(Path repository, ExportOptions options) throws IOException {
    Path target = repository.toAbsolutePath().normalize();
    if (Files.exists(target) && !Files.isDirectory(target)) {
      throw new HarmonicaException(
          "--model-repository %s is a file, expected a folder or a new name".formatted(repository));
    }
    if (Files.isDirectory(target) && !options.force()) {
      List<String> content = content(target);
      if (!content.isEmpty()) {
        throw new HarmonicaException(
            "--model-repository %s is not empty (it has %s%s): name a new one, or add --force, which replaces model %s there and leaves other models alone"
                .formatted(
                    repository,
                    content.get(0),
                    content.size() > 1 ? " and " + (content.size() - 1) + " more" : "",
                    options.modelName()));
      }
    }
    Path parent = Files.createDirectories(target.getParent());
    Path folder = Files.createTempDirectory(parent, "." + target.getFileName() + ".partial-");
    return new Staging(target, folder, options);
  }

  /** What a repository holds; a lone README, as this project's own has, does not count. */
  private static List<String> content(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(path -> path.getFileName().toString())
          .filter(name -> !name.equals("README.md") && !name.equals(".gitignore"))
          .sorted()
          .toList();
    }
  }

  Path folder() {
    return folder;
  }

  void requireSpace(long sizeBytes) throws IOException {
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < sizeBytes) {
      throw new FileSystemException(
          "it takes %,d MB and its disk has %,d MB left".formatted(sizeBytes >> 20, free >> 20));
    }
  }

  /** Moves every model into the repository; what this model's last export left there goes. */
  void publish() throws IOException {
    Files.createDirectories(repository);
    Path replaced = Files.createDirectory(folder.resolve(".replaced"));
    Map<Path, Path> moved = new LinkedHashMap<>();
    try {
      for (Path old : previous()) {
        move(old, replaced.resolve(old.getFileName()), moved);
      }
      for (Path model : folders(folder)) {
        if (!model.equals(replaced)) {
          move(model, repository.resolve(model.getFileName()), moved);
        }
      }
    } catch (IOException e) {
      undo(moved);
      throw e;
    }
  }

  private static void move(Path from, Path to, Map<Path, Path> moved) throws IOException {
    Files.move(from, to);
    moved.put(from, to);
  }

  private static void undo(Map<Path, Path> moved) throws IOException {
    List<Map.Entry<Path, Path>> order = new java.util.ArrayList<>(moved.entrySet());
    java.util.Collections.reverse(order);
    for (Map.Entry<Path, Path> move : order) {
      Files.move(move.getValue(), move.getKey());
    }
  }

  private List<Path> previous() throws IOException {
    return folders(repository).stream()
        .filter(path -> Files.exists(path.resolve(ConfigFile.NAME)))
        .filter(this::isOurs)
        .toList();
  }

  private boolean isOurs(Path modelFolder) {
    ModelConfig config = ConfigFile.read(modelFolder);
    return config.containsParameters(Manifest.PART_OF)
        && config
            .getParametersOrThrow(Manifest.PART_OF)
            .getStringValue()
            .equals(options.modelName());
  }

  private static List<Path> folders(Path parent) throws IOException {
    try (Stream<Path> files = Files.list(parent)) {
      return files.filter(Files::isDirectory).sorted().toList();
    }
  }

  /** Hard-links a file, or copies it where the file system has no links. */
  static void link(Path link, Path existing) throws IOException {
    try {
      Files.createLink(link, existing);
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.copy(existing, link);
    }
  }

  private static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | java.io.UncheckedIOException e) {
      // Left for the operator: its name says what it is.
      System.err.println("could not delete " + folder + ": " + e);
    }
  }

  @Override
  public void close() {
    Runtime.getRuntime().removeShutdownHook(cleaner);
    delete(folder);
  }
}
