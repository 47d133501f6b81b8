package io.harmonica.export;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * The temporary folder of an export, on the repository's own disk: what is in it moves into place
 * when whole, and is deleted otherwise. One that a killed export left is deleted by the next.
 */
final class Staging implements AutoCloseable {
  /** In each staging folder, held while its export lives. */
  private static final String LIFE = ".life";

  /** In a staging folder, while models move: what is replaced. */
  private static final String REPLACED = ".replaced";

  private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

  private final Path repository;
  private final Occupants occupants;
  private final Thread cleaner;
  private Path folder;
  private HeldFile life;
  private boolean ended;

  private Staging(Path repository, ExportOptions options) {
    this.repository = repository;
    this.occupants = new Occupants(repository, options);
    this.cleaner = new Thread(this::delete); // for Ctrl-C
    Runtime.getRuntime().addShutdownHook(cleaner);
  }

  /** After the hook, and never once it has run: a folder in between would stay for ever. */
  private synchronized void create(Path host) throws IOException {
    if (ended) {
      throw new IOException("the program is ending");
    }
    folder = Files.createTempDirectory(host, prefix());
    OWN.add(folder);
    life = HeldFile.create(folder.resolve(LIFE));
  }

  private String prefix() {
    return "." + repository.getFileName() + ".partial-";
  }

  /**
   * Begins an export.
   *
   * @param names of the models to be written
   * @throws HarmonicaException if the repository is no folder, or has no room for them
   */
  static Staging of(Path repository, ExportOptions options, Collection<String> names)
      throws IOException {
    requireUsable(repository, options, names);
    Path target = repository.toAbsolutePath().normalize();
    Path host = host(target);
    Staging staging = new Staging(target, options);
    try {
      staging.sweep(host, false);
      staging.create(host);
      return staging;
    } catch (IOException | RuntimeException e) {
      staging.close();
      throw e;
    }
  }

  /** Refuses a repository that is no folder, or has no room for models of these names. */
  static void requireUsable(Path repository, ExportOptions options, Collection<String> names)
      throws IOException {
    new Occupants(repository, options).requireRoom(names);
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

  /**
   * Deletes what killed exports left here. Where models were on their way, old ones may be there
   * and nowhere else: they stay until others of this model are in place.
   */
  private void sweep(Path host, boolean inPlace) {
    try {
      for (Path left : Occupants.folders(host)) {
        boolean abandoned =
            left.getFileName().toString().startsWith(prefix())
                && !OWN.contains(left)
                && HeldFile.isAbandoned(left.resolve(LIFE));
        Path old = left.resolve(REPLACED);
        if (abandoned && (!Files.exists(old) || inPlace && occupants.ownsAll(old))) {
          delete(left);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      // What is left is no fault of this export.
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
   * @throws HarmonicaException if meanwhile something else has one of the names
   */
  synchronized void publish() throws IOException { // a Ctrl-C waits for it
    Path held = folder.resolveSibling("." + repository.getFileName() + ".publishing");
    try (HeldFile alone = HeldFile.await(held)) {
      move();
    }
    sweep(folder.getParent(), true);
  }

  private void move() throws IOException {
    List<Path> models = Occupants.folders(folder);
    occupants.requireRoom(names(models)); // another export may have come first
    boolean created = !Files.exists(repository);
    Files.createDirectories(repository);
    Path replaced = Files.createDirectory(folder.resolve(REPLACED));
    Map<Path, Path> moved = new LinkedHashMap<>();
    try {
      // The base goes first and comes last: killed in between, it leaves nobody a model of parts
      // of two exports.
      for (Path old : occupants.baseFirst(occupants.previous())) {
        move(old, replaced.resolve(old.getFileName()), moved);
      }
      List<Path> baseLast = occupants.baseFirst(models);
      Collections.reverse(baseLast);
      for (Path model : baseLast) {
        move(model, repository.resolve(model.getFileName()), moved);
      }
    } catch (IOException | RuntimeException e) {
      try {
        undo(moved);
      } catch (IOException | RuntimeException worse) {
        folder = null; // it stays: the only copy of what was to be replaced is in it
        worse.addSuppressed(e);
        throw new IOException(worse + "; what was to be replaced lies in " + replaced, worse);
      }
      if (created) {
        repository.toFile().delete(); // if empty
      }
      throw e;
    }
  }

  private static List<String> names(List<Path> folders) {
    return folders.stream().map(path -> path.getFileName().toString()).toList();
  }

  private static void move(Path from, Path to, Map<Path, Path> moved) throws IOException {
    if (Files.exists(to)) {
      throw Occupants.taken(to);
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
    try {
      delete(deleted);
      if (life != null) {
        life.close();
      }
      OWN.remove(folder);
    } catch (IOException | UncheckedIOException e) {
      // Left for the operator: its name says what it is.
      System.err.println("could not delete " + deleted + ": " + e);
    }
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> files = Files.walk(tree)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
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
