package io.harmonica.export;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file that one process at a time holds, by a lock that ends with the process, however it ends.
 * Where the disk has no locks, everybody holds it.
 */
final class HeldFile implements AutoCloseable {
  /** A process's own locks do not keep its threads apart. */
  private static final ReentrantLock TURN = new ReentrantLock();

  private final FileChannel channel;
  private final Optional<Path> awaited;

  private HeldFile(FileChannel channel, Optional<Path> awaited) {
    this.channel = channel;
    this.awaited = awaited;
  }

  /** Waits until nobody else holds it; {@link #close} deletes it. */
  static HeldFile await(Path file) throws IOException {
    TURN.lock();
    try {
      while (true) {
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
          if (!locks(channel) || isStill(file, channel)) {
            return new HeldFile(channel, Optional.of(file));
          }
          channel.close(); // who held it before has deleted it
        } catch (IOException | RuntimeException e) {
          channel.close();
          throw e;
        }
      }
    } catch (IOException | RuntimeException e) {
      TURN.unlock();
      throw e;
    }
  }

  private static boolean locks(FileChannel channel) {
    try {
      channel.lock();
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isStill(Path file, FileChannel channel) throws IOException {
    String token = UUID.randomUUID().toString();
    channel.truncate(0).write(ByteBuffer.wrap(token.getBytes(StandardCharsets.UTF_8)));
    try {
      return Files.readString(file).equals(token);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Creates one that is held from the moment that it has its name. */
  static HeldFile create(Path file) throws IOException {
    Path early = file.resolveSibling(file.getFileName() + ".new");
    FileChannel channel =
        FileChannel.open(early, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      if (locks(channel)) {
        Files.move(early, file, StandardCopyOption.ATOMIC_MOVE);
      }
      return new HeldFile(channel, Optional.empty());
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Whether it is there and was held by a process that is gone. Never ask of one's own. */
  static boolean isAbandoned(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      return channel.tryLock() != null;
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      if (awaited.isPresent()) {
        Files.deleteIfExists(awaited.get()); // while it is held: the next one's is another file
      }
    } finally {
      if (awaited.isPresent()) {
        TURN.unlock();
      }
    }
  }
}
