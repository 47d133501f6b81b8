package io.harmonica.router;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes what {@code torch.save({name: {key: tensor}})} writes, by pickle opcodes. */
final class TorchRouterFiles {
  private TorchRouterFiles() {}

  static void write(Path file, String name, Map<String, float[]> rows) throws IOException {
    var pickle = new ByteArrayOutputStream();
    pickle.writeBytes(new byte[] {(byte) 0x80, 2, '}', '('}); // PROTO, EMPTY_DICT, MARK
    text(pickle, name);
    rows(pickle, rows);
    pickle.write('u');
    save(file, pickle, rows);
  }

  /** The same of {@code torch.save({key: tensor})}. */
  static void writeBare(Path file, Map<String, float[]> rows) throws IOException {
    var pickle = new ByteArrayOutputStream();
    pickle.writeBytes(new byte[] {(byte) 0x80, 2});
    rows(pickle, rows);
    save(file, pickle, rows);
  }

  private static void rows(ByteArrayOutputStream pickle, Map<String, float[]> rows) {
    pickle.writeBytes(new byte[] {'}', '('});
    int storages = 0;
    for (Map.Entry<String, float[]> row : rows.entrySet()) {
      text(pickle, row.getKey());
      tensor(pickle, "" + storages++, row.getValue().length);
    }
    pickle.write('u'); // SETITEMS
  }

  private static void save(Path file, ByteArrayOutputStream pickle, Map<String, float[]> rows)
      throws IOException {
    pickle.write('.'); // STOP
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      entry(zip, "archive/data.pkl", pickle.toByteArray());
      int storage = 0;
      for (float[] row : rows.values()) {
        var bytes = ByteBuffer.allocate(4 * row.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(row);
        entry(zip, "archive/data/" + storage++, bytes.array());
      }
    }
  }

  private static void tensor(ByteArrayOutputStream pickle, String storage, int elements) {
    global(pickle, "torch._utils\n_rebuild_tensor_v2\n");
    pickle.writeBytes(new byte[] {'(', '('});
    text(pickle, "storage");
    global(pickle, "torch\nFloatStorage\n");
    text(pickle, storage);
    text(pickle, "cpu");
    integer(pickle, elements);
    pickle.writeBytes(new byte[] {'t', 'Q'}); // TUPLE, BINPERSID
    integer(pickle, 0); // offset
    integer(pickle, elements);
    pickle.write(0x85); // TUPLE1: the shape
    integer(pickle, 1);
    pickle.writeBytes(new byte[] {(byte) 0x85, (byte) 0x89}); // TUPLE1: the stride; NEWFALSE
    global(pickle, "collections\nOrderedDict\n");
    pickle.writeBytes(new byte[] {')', 'R', 't', 'R'}); // (), REDUCE, TUPLE, REDUCE
  }

  private static void global(ByteArrayOutputStream pickle, String name) {
    pickle.write('c');
    pickle.writeBytes(name.getBytes(StandardCharsets.UTF_8));
  }

  private static void text(ByteArrayOutputStream pickle, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    pickle.write('X');
    little(pickle, bytes.length);
    pickle.writeBytes(bytes);
  }

  private static void integer(ByteArrayOutputStream pickle, int value) {
    pickle.write('J');
    little(pickle, value);
  }

  private static void little(ByteArrayOutputStream pickle, int value) {
    pickle.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void entry(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    var entry = new ZipEntry(name);
    var crc = new CRC32();
    crc.update(bytes);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}
