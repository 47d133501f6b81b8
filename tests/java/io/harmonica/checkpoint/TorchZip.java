package io.harmonica.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Takes the torch files among the test resources apart and puts them together again, changed. */
final class TorchZip {
  private static final int STORED = 0;

  private TorchZip() {}

  /** A file that {@code make_torch_files.py} wrote. */
  static Path resource(String name) {
    return Path.of("tests/resources/io/harmonica/checkpoint", name);
  }

  static Map<String, byte[]> entries(Path path) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(path.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return entries;
  }

  /** A torch file with this pickle and two storages, "0" of 24 bytes and "1" of 8. */
  static byte[] file(byte[] pickle) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("x/data.pkl", pickle);
    entries.put("x/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    entries.put("x/data/0", new byte[24]);
    entries.put("x/data/1", new byte[8]);
    return file(entries, false);
  }

  /**
   * @param zip64 whether sizes and offsets are in the fields for files of 4 GiB and more
   */
  static byte[] file(Map<String, byte[]> entries, boolean zip64) {
    int room = 200;
    for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
      room += 200 + 2 * entry.getKey().length() + entry.getValue().length;
    }
    ByteBuffer file = ByteBuffer.allocate(room).order(ByteOrder.LITTLE_ENDIAN);
    Map<String, Integer> offsets = new LinkedHashMap<>();
    entries.forEach(
        (name, content) -> {
          offsets.put(name, file.position());
          byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
          file.putInt(0x04034b50).putShort((short) 45).putShort((short) 0x800);
          file.putShort((short) STORED).putInt(0).putInt(0).putInt(content.length);
          file.putInt(content.length).putShort((short) bytes.length).putShort((short) 3);
          file.put(bytes).put(new byte[3]).put(content); // some padding, as torch writes
        });
    int start = file.position();
    entries.forEach(
        (name, content) -> {
          byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
          int size = zip64 ? -1 : content.length;
          file.putInt(0x02014b50).putInt(0x2d002d).putShort((short) 0x800);
          file.putShort((short) STORED).putInt(0).putInt(0).putInt(size).putInt(size);
          file.putShort((short) bytes.length).putShort((short) (zip64 ? 32 : 0));
          file.putShort((short) 0).putLong(0).putInt(zip64 ? -1 : offsets.get(name)).put(bytes);
          if (zip64) { // after some other field
            file.putShort((short) 9).putShort((short) 0).putShort((short) 1).putShort((short) 24);
            file.putLong(content.length).putLong(content.length).putLong(offsets.get(name));
          }
        });
    int end = file.position();
    if (zip64) {
      file.putInt(0x06064b50).putLong(44).putInt(0x2d002d).putLong(0).putLong(entries.size());
      file.putLong(entries.size()).putLong(end - start).putLong(start);
      file.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
    }
    file.putInt(0x06054b50).putInt(0).putShort((short) -1).putShort((short) -1);
    file.putInt(zip64 ? -1 : end - start).putInt(zip64 ? -1 : start).putShort((short) 0);
    byte[] bytes = new byte[file.position()];
    file.flip().get(bytes);
    return bytes;
  }
}
