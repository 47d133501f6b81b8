package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedFileTest {
  private static final long GIB = 1L << 30;

  @TempDir Path folder;

  /** A file of this size, zeros except for some bytes; the zeros take no room on the disk. */
  static void writeSparse(Path path, long size, long offset, byte[] bytes) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.SPARSE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), offset);
      if (channel.size() < size) {
        channel.write(ByteBuffer.allocate(1), size - 1);
      }
    }
  }

  @Test
  void slice_aroundEveryGibibyte_isTheBytesThere() throws IOException {
    Path path = folder.resolve("large");
    for (long offset = GIB - 2; offset < 5 * GIB; offset += GIB) {
      writeSparse(path, 0, offset, ("at " + offset).getBytes(StandardCharsets.US_ASCII));
    }
    try (MappedFile file = MappedFile.open(path)) {
      for (long offset = GIB - 2; offset < 5 * GIB; offset += GIB) {
        String expected = "at " + offset;
        ByteBuffer bytes = file.slice(offset, expected.length(), "text");
        assertThat(StandardCharsets.US_ASCII.decode(bytes).toString()).isEqualTo(expected);
      }
      ByteBuffer longest = file.slice(GIB + 1, Integer.MAX_VALUE, "longer than any window left");
      assertThat(longest.get((int) (GIB - 3))).isEqualTo((byte) 'a'); // of "at 2147483646"
    }
  }

  @Test
  void tensor_beyond2Gib_isReadAndLargerOnesAreRefused() throws IOException {
    Path path = folder.resolve("large.safetensors");
    long large = 3 * GIB;
    byte[] start =
        SafetensorsFileTest.file(
            "{'large':{'dtype':'U8','shape':[3,1073741824],'data_offsets':[0,%d]},'small':{'dtype':'I32','shape':[1],'data_offsets':[%d,%d]}}"
                .formatted(large, large, large + 4),
            0);
    writeSparse(path, start.length + large + 4, 0, start);
    writeSparse(path, 0, start.length + large, new byte[] {42});
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThat(checkpoint.tensor("small").longs()).containsExactly(42);
      assertThatThrownBy(() -> checkpoint.tensor("large"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContainingAll("'large'", "3221225472 bytes", "at most 2147483647");
    }
  }

  @Test
  void slice_outsideTheFile_isRefused() throws IOException {
    Path path = folder.resolve("small");
    writeSparse(path, 10, 0, new byte[1]);
    try (MappedFile file = MappedFile.open(path)) {
      assertThatThrownBy(() -> file.slice(6, 5, "x")).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> file.slice(-1, 5, "x")).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> file.slice(1, Long.MAX_VALUE, "x"))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
