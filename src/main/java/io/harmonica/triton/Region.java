package io.harmonica.triton;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A piece of POSIX shared memory: on Linux a file of {@link #FOLDER}, ours alone (mode 0600), under
 * a name that nobody can guess.
 *
 * <p>Its process holds a lock on the file while it lives. So {@link #sweep} knows those that a
 * crash left behind, across containers with process numbers of their own too.
 */
final class Region implements AutoCloseable {
  static final Path FOLDER = Path.of("/dev/shm");
  static final String PREFIX = "harmonica-region-";

  private static final FileAttribute<?> OURS_ALONE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final int CHUNK = 1 << 20;

  // Of this process. Never opened a second time: closing any handle of a file drops its lock.
  private static final Set<String> LIVING = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel; // holds the lock
  private final long sizeBytes;
  private final Map<Long, MappedByteBuffer> views = new ConcurrentHashMap<>(); // by offset

  private Region(Path file, FileChannel channel, long sizeBytes) {
    this.file = file;
    this.channel = channel;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Makes a region, all of it backed by memory: touching a page that a full {@code /dev/shm} cannot
   * give would end the process.
   *
   * @throws HarmonicaException if it is full, or there is none
   */
  static Region create(Path folder, long sizeBytes) {
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      if (free < sizeBytes) {
        throw full(folder, sizeBytes, free, null);
      }
      Region region = null;
      while (region == null) {
        region = createLocked(folder, sizeBytes);
      }
      return region.filled();
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot make shared memory in %s: %s; mend it, or use `sharedMemory` off"
              .formatted(folder, AtomicFile.reason(e)),
          e);
    }
  }

  /** Null where another process's sweep came between the file and its lock. */
  private static Region createLocked(Path folder, long sizeBytes) throws IOException {
    byte[] random = new byte[16];
    RANDOM.nextBytes(random);
    String name = PREFIX + HexFormat.of().formatHex(random);
    Path file = folder.resolve(name);
    LIVING.add(name);
    Set<StandardOpenOption> options =
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      Region region = new Region(file, FileChannel.open(file, options, OURS_ALONE), sizeBytes);
      if (region.channel.tryLock() != null && Files.exists(file)) {
        return region;
      }
      region.close();
      return null;
    } catch (IOException | RuntimeException e) {
      LIVING.remove(name);
      throw e;
    }
  }

  private Region filled() throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(CHUNK, sizeBytes));
    try {
      for (long written = 0; written < sizeBytes; ) {
        zeros.clear().limit((int) Math.min(zeros.capacity(), sizeBytes - written));
        written += channel.write(zeros, written);
      }
      return this;
    } catch (IOException e) {
      close();
      throw full(file.getParent(), sizeBytes, free(file.getParent()), e);
    }
  }

  private static long free(Path folder) throws IOException {
    return Files.getFileStore(folder).getUsableSpace();
  }

  private static HarmonicaException full(Path folder, long asked, long free, IOException cause) {
    return new HarmonicaException(
        "shared memory of %.1f MiB does not fit into %s, which has %.1f MiB free: enlarge it (--shm-size of a container, sizeLimit of a pod's), generate fewer at once, or use `sharedMemory` off"
            .formatted(asked / 1048576.0, folder, free / 1048576.0),
        cause);
  }

  /** Deletes what processes that are gone left in a folder, and returns the names. */
  static List<String> sweep(Path folder) {
    List<String> swept = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, PREFIX + "*")) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        if (!LIVING.contains(name) && deleteUnheld(file)) {
          swept.add(name);
        }
      }
    } catch (IOException e) {
      return swept; // another user's are not ours to see
    }
    return swept;
  }

  private static boolean deleteUnheld(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      return lock != null && Files.deleteIfExists(file);
    } catch (IOException e) {
      return false; // another user's, or just gone
    }
  }

  /** The name, of the file and of the registration. */
  String name() {
    return file.getFileName().toString();
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /** A view of a piece, little-endian, its position 0; valid for as long as it is held. */
  ByteBuffer view(long offset, long size) {
    MappedByteBuffer mapped = views.get(offset);
    if (mapped == null || mapped.capacity() < size) {
      try {
        mapped = channel.map(MapMode.READ_WRITE, offset, size);
      } catch (IOException e) {
        throw new HarmonicaException(
            "cannot map %d bytes of %s: %s; use `sharedMemory` off"
                .formatted(size, file, AtomicFile.reason(e)),
            e);
      }
      views.put(offset, mapped);
    }
    return mapped.duplicate().clear().limit((int) size).slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Takes the file away; views stay valid, a server's too. */
  @Override
  public void close() {
    try {
      Files.deleteIfExists(file);
      channel.close();
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot delete %s: %s; delete it by hand".formatted(file, AtomicFile.reason(e)), e);
    } finally {
      LIVING.remove(name());
    }
  }
}
