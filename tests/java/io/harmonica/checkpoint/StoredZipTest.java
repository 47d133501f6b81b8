package io.harmonica.checkpoint;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.ThrowingConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoredZipTest {
  private static final int END_BYTES = 22;
  private static final int END64_BYTES = 56 + 20;

  @TempDir Path folder;

  private static byte[] zip(boolean zip64) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("a", "first".getBytes(US_ASCII));
    entries.put("b", "second".getBytes(US_ASCII));
    return TorchZip.file(entries, zip64);
  }

  private void open(byte[] content, ThrowingConsumer<MappedFile> reader) throws IOException {
    try (MappedFile file = MappedFile.open(Files.write(folder.resolve("x.zip"), content))) {
      reader.accept(file);
    }
  }

  private void assertRefused(byte[] content, String... messageParts) throws IOException {
    open(
        content,
        file ->
            assertThatThrownBy(() -> StoredZip.open(file).range("b"))
                .isInstanceOf(HarmonicaException.class)
                .hasMessageStartingWith(file.path().toString())
                .hasMessageContainingAll(messageParts));
  }

  private static byte[] with(byte[] content, int offset, long value, int bytes) {
    byte[] changed = content.clone();
    for (int i = 0; i < bytes; i++) {
      changed[offset + i] = (byte) (value >> 8 * i);
    }
    return changed;
  }

  private static int find(byte[] content, int signature) {
    ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    int at = content.length - 4;
    while (bytes.getInt(at) != signature) {
      at--;
    }
    return at;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void range_storedEntry_isWhereItsBytesAre(boolean zip64) throws IOException {
    open(
        zip(zip64),
        file -> {
          StoredZip.Range range = StoredZip.open(file).range("b");
          byte[] bytes = new byte[(int) range.size()];
          file.slice(range.offset(), range.size(), "b").get(bytes);
          assertThat(bytes).asString(US_ASCII).isEqualTo("second");
        });
  }

  @Test
  void open_zipWithAComment_findsTheDirectory() throws IOException {
    byte[] zip = Arrays.copyOf(zip(false), zip(false).length + 100);
    byte[] commented = with(zip, zip.length - 102, 100, 2);
    open(commented, file -> assertThat(StoredZip.open(file).names()).containsExactly("a", "b"));
  }

  @Test
  void range_compressedEntry_saysHowToWriteIt() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("b"));
      zip.write(new byte[100]);
    }
    assertRefused(bytes.toByteArray(), "'b'", "at byte 0", "is compressed", "torch.save");
  }

  @Test
  void open_cutOff_saysThatTheDirectoryIsMissing() throws IOException {
    byte[] zip = zip(false);
    assertRefused(Arrays.copyOf(zip, zip.length - 1), "no zip directory", "cut off");
    assertRefused(Arrays.copyOf(zip, END_BYTES), "no zip directory");
    assertRefused(Arrays.copyOf(zip, 3), "no zip directory");
  }

  @Test
  void open_directoryOutsideTheFile_isRefused() throws IOException {
    byte[] zip = zip(false);
    int end = zip.length - END_BYTES;
    assertRefused(with(zip, end + 16, zip.length, 4), "must end by byte " + end);
    assertRefused(with(zip, end + 12, 0xfffffff0L, 4), "4294967280 bytes from");
    byte[] zip64 = zip(true);
    int end64 = zip64.length - END_BYTES - END64_BYTES;
    assertRefused(with(zip64, end64 + 40, Long.MAX_VALUE, 8), "9223372036854775807 bytes from");
    assertRefused(with(zip64, end64 + 48, -1, 8), "from byte -1");
    assertRefused(with(zip64, end64 + 56 + 8, -1, 8), "zip64 directory's end", "byte -1");
    assertRefused(with(zip64, end64, 0, 4), "expected the zip64 directory's end at byte " + end64);
  }

  @Test
  void open_brokenDirectoryEntry_namesItsByte() throws IOException {
    byte[] zip = zip(false);
    int last = find(zip, 0x02014b50);
    assertRefused(with(zip, last, 0, 4), "expected an entry of the zip directory at byte " + last);
    assertRefused(with(zip, last + 28, 5000, 2), "entry at byte %d is cut off".formatted(last));
    assertRefused(with(zip, last + 46, 'a', 1), "'a' occurs twice");
  }

  @Test
  void range_entryOutsideTheFile_isRefused() throws IOException {
    byte[] zip = zip(false);
    int last = find(zip, 0x02014b50);
    assertRefused(with(zip, last + 42, 5000, 4), "'b' should start at byte 5000");
    assertRefused(with(zip, last + 42, 1, 4), "expected zip entry 'b' at byte 1");
    assertRefused(with(zip, last + 24, 5000, 4), "'b' has 5000 bytes from");
    byte[] zip64 = zip(true);
    int size = find(zip64, 0x02014b50) + 46 + 1 + 8;
    assertRefused(with(zip64, size, -1, 8), "'b' has -1 bytes");
    assertRefused(with(zip64, size, Long.MAX_VALUE, 8), "'b' has 9223372036854775807 bytes");
    assertRefused(with(zip64, size + 16, -1, 8), "'b' should start at byte -1");
  }
}
