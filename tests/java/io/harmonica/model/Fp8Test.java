package io.harmonica.model;

import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.checkpoint.Checkpoint;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Against ml_dtypes' float8_e4m3fn. */
class Fp8Test {
  private static final Path NUMPY = Path.of("tests/resources/fewbits/golden.safetensors");

  @Test
  void everyCode_isItsNumber_andBack() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      float[] expected = floats(numpy, "e4m3");
      for (int code = 0; code < expected.length; code++) {
        float value = Fp8.toFloat((byte) code);
        if (Float.isNaN(expected[code])) {
          assertThat(value).isNaN();
        } else {
          assertThat(value).isEqualTo(expected[code]);
          assertThat(Fp8.fromFloat(value)).isEqualTo((byte) code);
        }
      }
      assertThat(Fp8.toFloat(Fp8.fromFloat(Float.NaN))).isNaN();
    }
  }

  /** Subnormal ones, ties and what exceeds the largest too. */
  @Test
  void rounding_isToTheNearest() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      float[] some = floats(numpy, "some");
      float[] expected = floats(numpy, "some.e4m3");
      for (int i = 0; i < some.length; i++) {
        assertThat(Fp8.toFloat(Fp8.fromFloat(some[i]))).as("%s", some[i]).isEqualTo(expected[i]);
      }
      assertThat(Fp8.toFloat(Fp8.fromFloat(Float.NEGATIVE_INFINITY))).isEqualTo(-448f);
    }
  }
}
