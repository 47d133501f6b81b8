package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.Mutations;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
  @TempDir Path folder;

  /** A file with this header, in which ' stands for ", and this many bytes of data: 0, 1, 2, ... */
  static byte[] file(String header, int dataBytes) {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + json.length + dataBytes);
    file.order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json);
    for (int i = 0; i < dataBytes; i++) {
      file.put((byte) i);
    }
    return file.array();
  }

  /** Reads everything that a safetensors file holds. */
  static void readAll(Path path) {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      for (String name : file.names()) {
        StoredTensor tensor = file.tensor(name);
        assertThat(tensor.data().remaining())
            .isEqualTo(tensor.elements() * tensor.dtype().sizeBytes());
      }
    }
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(folder.resolve("w.safetensors"), content);
  }

  private void assertRefused(byte[] content, String... messageParts) throws IOException {
    Path path = write(content);
    assertThatThrownBy(() -> SafetensorsFile.open(path).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(path.toString())
        .hasMessageContainingAll(messageParts)
        .message()
        .doesNotContainPattern("\\R");
  }

  @Test
  void tensor_ofEveryShape_isItsBytes() throws IOException {
    String header =
        "{'__metadata__':{'format':'pt'},"
            + "'b':{'dtype':'U8','shape':[2,2],'data_offsets':[4,8]},"
            + "'a':{'data_offsets':[0,4],'shape':[],'dtype':'I32','more':[{}]},"
            + "'none':{'dtype':'F32','shape':[3,0],'data_offsets':[8,8]}}   ";
    try (SafetensorsFile file = SafetensorsFile.open(write(file(header, 8)))) {
      assertThat(file.names()).containsExactly("b", "a", "none");
      assertThat(file.tensor("a").longs()).containsExactly(0x03020100);
      assertThat(file.tensor("a").shape()).isEmpty();
      assertThat(file.tensor("b").longs()).containsExactly(4, 5, 6, 7);
      assertThat(file.tensor("b").shape()).containsExactly(2L, 2L);
      assertThat(file.tensor("none").floats()).isEmpty();
      assertThatThrownBy(() -> file.tensor("c"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContainingAll("w.safetensors", "'c'", "3 ('b', 'a', 'none')");
    }
  }

  @Test
  void open_noTensors_isEmpty() throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(write(file("{}", 0)))) {
      assertThat(file.names()).isEmpty();
    }
  }

  @Test
  void open_missingOrFolder_saysSo() {
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("no.safetensors")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> SafetensorsFile.open(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("is a folder");
  }

  @Test
  void open_cutOff_saysHowManyBytesThereAre() throws IOException {
    assertRefused(new byte[0], "has 0 bytes");
    assertRefused(new byte[7], "has 7 bytes");
    byte[] whole = file("{'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8]}}", 8);
    assertRefused(Arrays.copyOf(whole, 30), "header length at byte 0 is 53, expected at most 22");
    assertRefused(
        Arrays.copyOf(whole, whole.length - 1), "'a'", "[0, 8]", "<= 7", "start at byte 61");
  }

  @Test
  void open_hugeHeaderLength_isRefusedBeforeAnythingIsAllocated() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
    assertRefused(bytes.putLong(0, 1L << 40).array(), "1099511627776", "at most 92");
    assertRefused(bytes.putLong(0, -1).array(), "18446744073709551615", "at most 92");
    Path sparse = folder.resolve("sparse.safetensors");
    MappedFileTest.writeSparse(sparse, 200_000_000, 0, bytes.putLong(0, 100_000_001).array());
    assertThatThrownBy(() -> SafetensorsFile.open(sparse))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll("100000001", "at most 100000000");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "not JSON                                              | invalid JSON near byte 12",
        "{'a':                                                 | invalid JSON near byte",
        "[]                                                    | expected the header as START_OBJECT near byte 8, found START_ARRAY",
        "{} {}                                                 | expected the end of the header near byte 11",
        "{'a':{'dtype':'U8','shape':[8],'data_offsets':[0,8]},'a':{}} | Duplicate field 'a'",
        "{'a':1}                                               | expected tensor 'a' as START_OBJECT near byte 13",
        "{'__metadata__':{'a':{}}}                             | expected __metadata__ value as VALUE_STRING",
        "{'__metadata__':3}                                    | expected __metadata__ as START_OBJECT",
        "{'a':{'shape':[8],'data_offsets':[0,8]}}              | tensor 'a' has no dtype",
        "{'a':{'dtype':'U8','data_offsets':[0,8]}}             | tensor 'a' has no shape",
        "{'a':{'dtype':'U8','shape':[8]}}                      | tensor 'a' has no data_offsets",
        "{'a':{'dtype':'F8_E4M3','shape':[8],'data_offsets':[0,8]}} | tensor 'a' has dtype 'F8_E4M3', expected one of [F64, F32",
        "{'a':{'dtype':8,'shape':[8],'data_offsets':[0,8]}}    | tensor 'a' dtype as VALUE_STRING",
        "{'a':{'dtype':'U8','shape':8,'data_offsets':[0,8]}}   | tensor 'a' shape as START_ARRAY",
        "{'a':{'dtype':'U8','shape':[8.0],'data_offsets':[0,8]}} | tensor 'a' shape as VALUE_NUMBER_INT",
        "{'a':{'dtype':'U8','shape':[-8],'data_offsets':[0,8]}} | tensor 'a' has an impossible shape [-8]",
        "{'a':{'dtype':'U8','shape':[-2,-4],'data_offsets':[0,8]}} | impossible shape [-2, -4]",
        "{'a':{'dtype':'U8','shape':[4294967296,4294967296],'data_offsets':[0,8]}} | impossible shape [4294967296, 4294967296]",
        "{'a':{'dtype':'F64','shape':[2305843009213693952],'data_offsets':[0,8]}} | impossible shape [2305843009213693952]",
        "{'a':{'dtype':'U8','shape':[99999999999999999999],'data_offsets':[0,8]}} | tensor 'a' shape below 2^63 near byte 36, found 99999999999999999999",
        "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | tensor 'a' of F32 [3] takes 12 bytes, but data_offsets [0, 8], at byte 62, give it 8",
        "{'a':{'dtype':'U8','shape':[8],'data_offsets':[0]}}   | tensor 'a' data_offsets: expected [begin, end]",
        "{'a':{'dtype':'U8','shape':[8],'data_offsets':[8,0]}} | tensor 'a' has data_offsets [8, 0]",
        "{'a':{'dtype':'U8','shape':[8],'data_offsets':[-1,7]}} | tensor 'a' has data_offsets [-1, 7]",
        "{'a':{'dtype':'U8','shape':[9],'data_offsets':[0,9]}} | tensor 'a' has data_offsets [0, 9], expected 0 <= begin <= end <= 8",
        "{'a':{'dtype':'U8','shape':[9],'data_offsets':[9223372036854775800,9223372036854775807]}} | [9223372036854775800, 9223372036854775807]",
        "{'a':{'dtype':'U8','shape':[5],'data_offsets':[0,5]},'b':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | tensor 'b' starts at byte 117, but 'a' ends at byte 118: an overlap",
        "{'a':{'dtype':'U8','shape':[3],'data_offsets':[0,3]},'b':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}} | tensor 'b' starts at byte 117, but 'a' ends at byte 116: a hole",
        "{'a':{'dtype':'U8','shape':[7],'data_offsets':[1,8]}} | tensor 'a' starts at byte 62, but the header ends at byte 61: a hole",
        "{'a':{'dtype':'U8','shape':[7],'data_offsets':[0,7]}} | 'a' ends at byte 68, but the file has 69 bytes: a hole",
      })
  void open_headerThatLies_saysWhereAndWhatIsExpected(String header, String message)
      throws IOException {
    assertRefused(file(header, 8), message);
  }

  @Test
  void open_nameWithLineBreaks_isReportedInOneLine() throws IOException {
    assertRefused(file("{'a\\nb\\u2028':{}}", 0), "tensor 'a?b?' has no dtype");
    assertRefused(file("{'" + "x".repeat(5000) + "':{}}", 0), "xxx...' has no dtype");
  }

  @Test
  void read_damagedFiles_areReadOrRefused() {
    byte[] two =
        file(
            "{'a':{'dtype':'F16','shape':[2,1],'data_offsets':[0,4]},"
                + "'b':{'dtype':'U8','shape':[4],'data_offsets':[4,8]}}",
            8);
    byte[] noted =
        file("{'__metadata__':{'x':'y'},'c':{'dtype':'I64','shape':[],'data_offsets':[0,8]}}", 8);
    Mutations.assertReadOrRefused(
        11,
        5000,
        List.of(two, noted),
        content -> TempFile.holding(content, ".safetensors", SafetensorsFileTest::readAll));
  }
}
