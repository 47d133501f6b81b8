package io.harmonica.export;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The temporary folder of an export, on the repository's own disk: what is in it moves into place
 * when whole, and is deleted otherwise.
 */
final class Staging implements AutoCloseable {
  private final Path repository;
  private final ExportOptions options;
  private final Thread cleaner;
  private Path folder;
  private boolean ended;

  private Staging(Path repository, ExportOptions options) {
    this.repository = repository;
    this.options = options;
    this.cleaner = new Thread(this::delete); // for Ctrl-C
    Runtime.getRuntime().addShutdownHook(cleaner);
  }

  /** After the hook, and never once it has run: a folder in between would stay for ever. */
  private synchronized void create(Path host) throws IOException {
    if (ended) {
      throw new IOException("the program is ending");
    }
    folder = Files.createTempDirectory(host, "." + repository.getFileName() + ".partial-");
  }

  /**
   * Begins an export.
   *
   * @throws HarmonicaException if the repository is no folder, or not empty without {@code force}
   */
  static Staging of(Path repository, ExportOptions options) throws IOException {
    requireUsable(repository, options);
    Path target = repository.toAbsolutePath().normalize();
    Path host = host(target);
    Staging staging = new Staging(target, options);
    try {
      staging.create(host);
      return staging;
    } catch (IOException | RuntimeException e) {
      staging.close();
      throw e;
    }
  }

  /** Refuses a repository that is no folder, or not empty without {@code force}. */
  static void requireUsable(Path repository, ExportOptions options) throws IOException {
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
  }

  /**
   * Where the temporary folder goes: beside the repository, or where folders up to it are missing,
   * beside the first of these; but into one that is mounted, as nothing moves across disks.
   */
  private static Path host(Path target) throws IOException {
    Path parent = target.getParent() == null ? target : target.getParent();
    if (Files.exists(target)) {
      boolean sameDisk = Files.getFileStore(target).equals(Files.getFileStore(parent));
      return sameDisk ? parent : target;
    }
    while (!Files.exists(parent)) {
      parent = parent.getParent();
    }
    return parent;
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
      throw new IOException(
          "it takes %d bytes and its disk has %d left".formatted(sizeBytes, free));
    }
  }

  /**
   * Moves every model into the repository; what this model's last export left there goes.
   *
   * @throws HarmonicaException if a model of another origin has one of the names
   */
  synchronized void publish() throws IOException { // a Ctrl-C waits for it
    List<Path> models = folders(folder);
    boolean created = !Files.exists(repository);
    Files.createDirectories(repository);
    Path replaced = Files.createDirectory(folder.resolve(".replaced"));
    Map<Path, Path> moved = new LinkedHashMap<>();
    try {
      for (Path old : previous()) {
        move(old, replaced.resolve(old.getFileName()), moved);
      }
      for (Path model : models) {
        move(model, repository.resolve(model.getFileName()), moved);
      }
    } catch (IOException | RuntimeException e) {
      undo(moved);
      if (created) {
        Files.delete(repository);
      }
      throw e;
    }
  }

  private static void move(Path from, Path to, Map<Path, Path> moved) throws IOException {
    if (Files.exists(to)) {
      throw new HarmonicaException(
          "%s is there already and no part of this model; move it away, or choose another --model-name"
              .formatted(to));
    }
    Files.move(from, to);
    moved.put(from, to);
  }

  private static void undo(Map<Path, Path> moved) throws IOException {
    List<Map.Entry<Path, Path>> order = new ArrayList<>(moved.entrySet());
    Collections.reverse(order);
    for (Map.Entry<Path, Path> move : order) {
      Files.move(move.getValue(), move.getKey());
    }
  }

  private List<Path> previous() throws IOException {
    return folders(repository).stream()
        .filter(path -> Files.exists(path.resolve(ConfigFile.NAME)))
        .filter(this::isPart)
        .toList();
  }

  private boolean isPart(Path modelFolder) {
    ModelConfig config;
    try {
      config = ConfigFile.read(modelFolder);
    } catch (HarmonicaException e) {
      return false; // what cannot be read is not from here
    }
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

  private synchronized void delete() {
    ended = true;
    if (folder == null || !Files.exists(folder)) {
      return;
    }
    Path deleted = folder.resolveSibling(folder.getFileName() + "-deleted");
    try {
      Files.move(folder, deleted); // on Ctrl-C the export still runs: from here on it fails
    } catch (IOException e) {
      deleted = folder;
    }
    try (Stream<Path> files = Files.walk(deleted)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException e) {
      // Left for the operator: its name says what it is.
      System.err.println("could not delete " + deleted + ": " + e);
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(cleaner);
    } catch (IllegalStateException e) {
      return; // the program ends, and the hook deletes
    }
    delete();
  }
}
