package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class StoredTensorTest {
  private static StoredTensor tensor(DType dtype, int... bytes) {
    byte[] data = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      data[i] = (byte) bytes[i];
    }
    long elements = bytes.length / dtype.sizeBytes();
    return new StoredTensor("blocks.0", dtype, List.of(elements), ByteBuffer.wrap(data));
  }

  @Test
  void floats_eachFloatingType_areTheNumbers() {
    assertThat(tensor(DType.F32, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0).floats()).containsExactly(1, -2);
    assertThat(tensor(DType.F16, 0x00, 0x3c, 0x01, 0x00).floats()).containsExactly(1, 0x1p-24f);
    assertThat(tensor(DType.BF16, 0x80, 0x3f, 0x00, 0xc0).floats()).containsExactly(1, -2);
    assertThat(tensor(DType.F64, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f).floats()).containsExactly(1);
  }

  @Test
  void longs_eachIntegerType_areTheNumbers() {
    assertThat(tensor(DType.I64, 0xfe, 255, 255, 255, 255, 255, 255, 255).longs())
        .containsExactly(-2);
    assertThat(tensor(DType.I32, 0, 1, 0, 0, 255, 255, 255, 255).longs()).containsExactly(256, -1);
    assertThat(tensor(DType.I16, 0, 1, 255, 255).longs()).containsExactly(256, -1);
    assertThat(tensor(DType.I8, 1, 255).longs()).containsExactly(1, -1);
    assertThat(tensor(DType.U8, 1, 255).longs()).containsExactly(1, 255);
    assertThat(tensor(DType.BOOL, 1, 0).longs()).containsExactly(1, 0);
  }

  @Test
  void floatsAndLongs_otherType_nameTensorAndType() {
    assertThatThrownBy(tensor(DType.I64, 0, 0, 0, 0, 0, 0, 0, 0)::floats)
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll("'blocks.0'", "I64", "F32");
    assertThatThrownBy(tensor(DType.F16, 0, 0)::longs)
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll("'blocks.0'", "F16", "I64");
  }

  @Test
  void data_readTwice_startsAnewAndIsLittleEndian() {
    StoredTensor tensor = tensor(DType.I32, 1, 0, 0, 0);
    assertThat(tensor.data().getInt()).isEqualTo(1);
    assertThat(tensor.data().getInt()).isEqualTo(1);
    assertThat(tensor.data().order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void construction_shapeThatDoesNotFitTheData_isRefused() {
    assertThatThrownBy(
            () -> new StoredTensor("w", DType.F32, List.of(2L, 3L), ByteBuffer.allocate(23)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("'w'", "[2, 3]", "24", "23");
  }

  @Test
  void elements_scalarAndEmpty_areOneAndNone() {
    assertThat(new StoredTensor("s", DType.U8, List.of(), ByteBuffer.allocate(1)).elements())
        .isEqualTo(1);
    assertThat(new StoredTensor("e", DType.U8, List.of(3L, 0L), ByteBuffer.allocate(0)).elements())
        .isZero();
  }
}
