package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Where the uncompressed entries of a zip file lie, so that they can be mapped.
 *
 * <p>{@code java.util.zip} does not tell the offsets. Field names and offsets are those of PKWARE's
 * APPNOTE, sections 4.3.7 (local header), 4.3.12 (central directory) to 4.3.16 (its end).
 */
final class StoredZip {
  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int END64_LOCATOR = 0x07064b50;
  private static final int END64 = 0x06064b50;
  private static final int LOCAL_BYTES = 30;
  private static final int CENTRAL_BYTES = 46;
  private static final int END_BYTES = 22;
  private static final int END64_LOCATOR_BYTES = 20;
  private static final int END64_BYTES = 56;
  private static final int LONGEST_COMMENT = 0xffff;
  private static final long LARGEST_DIRECTORY_BYTES = 32 << 20; // about 300,000 entries
  private static final long IN_ZIP64_FIELD = 0xffffffffL;
  private static final short ZIP64_FIELD = 1;

  /** An entry of the central directory; {@code headerOffset} is that of its local header. */
  private record Entry(int method, long size, long headerOffset) {}

  /** Where an entry's bytes lie in the file. */
  record Range(long offset, long size) {}

  private final MappedFile file;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private StoredZip(MappedFile file) {
    this.file = file;
  }

  static StoredZip open(MappedFile file) {
    StoredZip zip = new StoredZip(file);
    zip.readDirectory();
    return zip;
  }

  Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  /** The bytes of an entry, which must exist and be stored uncompressed. */
  Range range(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw damaged("zip entry %s is missing", Messages.quote(name));
    }
    long header = entry.headerOffset();
    if (entry.method() != 0) {
      throw new HarmonicaException(
          "%s: zip entry %s, at byte %d, is compressed: write the file with torch.save"
              .formatted(path(), Messages.quote(name), header));
    }
    if (header < 0 || header > file.size() - LOCAL_BYTES) {
      throw damaged(
          "zip entry %s should start at byte %d of %d", Messages.quote(name), header, file.size());
    }
    ByteBuffer local = file.slice(header, LOCAL_BYTES, "zip entry");
    if (local.getInt(0) != LOCAL) {
      throw damaged("expected zip entry %s at byte %d", Messages.quote(name), header);
    }
    long start = header + LOCAL_BYTES + unsigned(local, 26) + unsigned(local, 28);
    if (entry.size() < 0 || start > file.size() || entry.size() > file.size() - start) {
      throw damaged(
          "zip entry %s has %d bytes from byte %d, but the file only has %d",
          Messages.quote(name), entry.size(), start, file.size());
    }
    return new Range(start, entry.size());
  }

  private void readDirectory() {
    long end = endOfDirectory();
    ByteBuffer record = file.slice(end, END_BYTES, "end of the zip directory");
    long size = record.getInt(12) & IN_ZIP64_FIELD;
    long offset = record.getInt(16) & IN_ZIP64_FIELD;
    long limit = end;
    long locator = end - END64_LOCATOR_BYTES;
    if (locator >= 0 && file.slice(locator, 4, "zip64 locator").getInt() == END64_LOCATOR) {
      limit = file.slice(locator, END64_LOCATOR_BYTES, "zip64 locator").getLong(8);
      if (limit < 0 || limit > locator - END64_BYTES) {
        throw damaged("the zip64 directory's end should be at byte %d", limit);
      }
      ByteBuffer record64 = file.slice(limit, END64_BYTES, "zip64 end");
      if (record64.getInt(0) != END64) {
        throw damaged("expected the zip64 directory's end at byte %d", limit);
      }
      size = record64.getLong(40);
      offset = record64.getLong(48);
    }
    if (size < 0 || offset < 0 || offset > limit || size > limit - offset) {
      throw damaged(
          "the zip directory should be %d bytes from byte %d, but must end by byte %d",
          size, offset, limit);
    }
    if (size > LARGEST_DIRECTORY_BYTES) {
      throw damaged("the zip directory has %d bytes, at most %d", size, LARGEST_DIRECTORY_BYTES);
    }
    readEntries(file.slice(offset, size, "zip directory"), offset);
  }

  /** The end record is followed by a comment, mostly an empty one, up to the end of the file. */
  private long endOfDirectory() {
    long size = file.size();
    long first = Math.max(0, size - END_BYTES - LONGEST_COMMENT);
    ByteBuffer tail = file.slice(first, size - first, "end of the zip");
    for (int i = tail.remaining() - END_BYTES; i >= 0; i--) {
      if (tail.getInt(i) == END && i + END_BYTES + unsigned(tail, i + 20) == tail.remaining()) {
        return first + i;
      }
    }
    throw damaged("no zip directory at its end: it has %d bytes and is cut off", size);
  }

  private void readEntries(ByteBuffer directory, long start) {
    while (directory.hasRemaining()) {
      int at = directory.position();
      if (directory.remaining() < CENTRAL_BYTES || directory.getInt(at) != CENTRAL) {
        throw damaged("expected an entry of the zip directory at byte %d", start + at);
      }
      int nameBytes = unsigned(directory, at + 28);
      int extraBytes = unsigned(directory, at + 30);
      int length = CENTRAL_BYTES + nameBytes + extraBytes + unsigned(directory, at + 32);
      if (length > directory.remaining()) {
        throw damaged("the zip directory's entry at byte %d is cut off", start + at);
      }
      byte[] name = new byte[nameBytes];
      directory.get(at + CENTRAL_BYTES, name);
      ByteBuffer extra =
          directory
              .slice(at + CENTRAL_BYTES + nameBytes, extraBytes)
              .order(ByteOrder.LITTLE_ENDIAN);
      String text = new String(name, StandardCharsets.UTF_8);
      if (entries.put(text, entry(directory, at, extra)) != null) {
        throw damaged("zip entry %s occurs twice", Messages.quote(text));
      }
      directory.position(at + length);
    }
  }

  private static Entry entry(ByteBuffer directory, int at, ByteBuffer extra) {
    long size = directory.getInt(at + 24) & IN_ZIP64_FIELD;
    long headerOffset = directory.getInt(at + 42) & IN_ZIP64_FIELD;
    ByteBuffer zip64 = zip64Field(extra);
    // The field holds, in this order, only what the entry itself has no room for.
    if (size == IN_ZIP64_FIELD && zip64.remaining() >= 8) {
      size = zip64.getLong();
    }
    boolean compressedSizeToo = (directory.getInt(at + 20) & IN_ZIP64_FIELD) == IN_ZIP64_FIELD;
    if (compressedSizeToo && zip64.remaining() >= 8) {
      zip64.getLong();
    }
    if (headerOffset == IN_ZIP64_FIELD && zip64.remaining() >= 8) {
      headerOffset = zip64.getLong();
    }
    return new Entry(unsigned(directory, at + 10), size, headerOffset);
  }

  private static ByteBuffer zip64Field(ByteBuffer extra) {
    while (extra.remaining() >= 4) {
      short id = extra.getShort();
      int length = Math.min(Short.toUnsignedInt(extra.getShort()), extra.remaining());
      if (id == ZIP64_FIELD) {
        return extra.slice(extra.position(), length).order(ByteOrder.LITTLE_ENDIAN);
      }
      extra.position(extra.position() + length);
    }
    return ByteBuffer.allocate(0);
  }

  private static int unsigned(ByteBuffer bytes, int at) {
    return Short.toUnsignedInt(bytes.getShort(at));
  }

  private Path path() {
    return file.path();
  }

  private HarmonicaException damaged(String found, Object... values) {
    return Messages.damaged(path(), found.formatted(values));
  }
}
