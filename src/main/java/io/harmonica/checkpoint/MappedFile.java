package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A read-only file of any size, seen through little-endian buffers of less than 2 GiB.
 *
 * <p>Owns the channel. A mapping lives as long as buffers of it do (JDK 17 cannot unmap safely), so
 * {@link #close} releases the channel and lets go of the mappings.
 */
final class MappedFile implements AutoCloseable {
  private static final long WINDOW_STEP = 1L << 30;
  private static final String POINTER = "version https://git-lfs";

  private final Path path;
  private final FileChannel channel;
  private final long size;

  /**
   * By start / step. Each reaches almost two steps far, so that nearly every tensor fits in one.
   */
  private final Map<Long, MappedByteBuffer> windows = new HashMap<>();

  private MappedFile(Path path, FileChannel channel, long size) {
    this.path = path;
    this.channel = channel;
    this.size = size;
  }

  static MappedFile open(Path path) {
    if (Files.isDirectory(path)) {
      throw new HarmonicaException(path + " is a folder, expected a file: name a file in it");
    }
    try {
      FileChannel channel = FileChannel.open(path);
      try {
        MappedFile file = new MappedFile(path, channel, channel.size());
        file.requireContent();
        return file;
      } catch (IOException | RuntimeException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw Messages.unreadable(path, e);
    }
  }

  /** A clone without Git LFS leaves small text files where the weights would be. */
  private void requireContent() {
    byte[] start = new byte[(int) Math.min(size, POINTER.length())];
    slice(0, start.length, "the start").get(start);
    if (new String(start, StandardCharsets.US_ASCII).equals(POINTER)) {
      throw new HarmonicaException(
          path + " is only a pointer to the file, as Git LFS leaves it: fetch it by git lfs pull");
    }
  }

  Path path() {
    return path;
  }

  long size() {
    return size;
  }

  /**
   * The bytes {@code [offset, offset + length)}, which must lie in the file.
   *
   * @param what what they are, for the message where they are too many for one buffer
   */
  synchronized ByteBuffer slice(long offset, long length, String what) {
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IllegalArgumentException(
          "%s: bytes %d + %d of %d".formatted(path, offset, length, size));
    }
    if (length > Integer.MAX_VALUE) {
      throw new HarmonicaException(
          "%s: %s takes %d bytes at byte %d, but at most %d can be read: split or shard it"
              .formatted(path, what, length, offset, Integer.MAX_VALUE));
    }
    if (length == 0) {
      return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
    }
    long start = offset / WINDOW_STEP * WINDOW_STEP;
    long reach = Math.min(Integer.MAX_VALUE, size - start);
    ByteBuffer bytes =
        offset + length <= start + reach
            ? windows
                .computeIfAbsent(start, key -> map(key, reach))
                .slice((int) (offset - start), (int) length)
            : map(offset, length);
    return bytes.order(ByteOrder.LITTLE_ENDIAN);
  }

  private MappedByteBuffer map(long start, long length) {
    try {
      return channel.map(FileChannel.MapMode.READ_ONLY, start, length);
    } catch (IOException e) {
      throw Messages.unreadable(path, e);
    }
  }

  @Override
  public synchronized void close() {
    windows.clear();
    try {
      channel.close();
    } catch (IOException e) {
      throw Messages.unreadable(path, e);
    }
  }
}
