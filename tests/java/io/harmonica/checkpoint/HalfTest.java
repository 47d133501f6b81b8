package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class HalfTest {
  /** The definition in IEEE 754, section 3.4, in double, where every step is exact. */
  private static double defined(int half) {
    double sign = half >> 15 == 0 ? 1 : -1;
    int exponent = half >> 10 & 31;
    int fraction = half & 1023;
    if (exponent == 31) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return exponent == 0
        ? sign * fraction * Math.pow(2, -24)
        : sign * (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
  }

  @Test
  void toFloat_everyHalf_isWhatTheStandardDefines() {
    for (int half = 0; half < 1 << 16; half++) {
      double expected = defined(half);
      float actual = Half.toFloat((short) half);
      assertThat(Double.compare(actual, expected)).as("half %04x", half).isZero(); // -0 too
    }
  }

  @Test
  void toFloat_nan_keepsItsSignAndPayload() {
    assertThat(Float.floatToRawIntBits(Half.toFloat((short) 0xfe01))).isEqualTo(0xffc02000);
  }

  @Test
  void fromFloat_everyHalf_returnsIt() {
    for (int half = 0; half < 1 << 16; half++) {
      float value = Half.toFloat((short) half);
      if (!Float.isNaN(value)) {
        assertThat(Half.fromFloat(value)).as("half %04x", half).isEqualTo((short) half);
      }
    }
    assertThat(Half.toFloat(Half.fromFloat(Float.NaN))).isNaN();
  }

  @Test
  void fromFloat_betweenTwoHalves_roundsToNearestEven() {
    for (int half = 0; half < 0x7bff; half++) { // positive and finite, with its successor
      double low = defined(half);
      float middle = (float) ((low + defined(half + 1)) / 2); // exact: one bit more
      short even = (short) (half + (half & 1));
      String where = "between %04x and the next".formatted(half);
      assertThat(Half.fromFloat(middle)).as(where).isEqualTo(even);
      assertThat(Half.fromFloat(Math.nextDown(middle))).as(where).isEqualTo((short) half);
      assertThat(Half.fromFloat(Math.nextUp(middle))).as(where).isEqualTo((short) (half + 1));
    }
  }

  @Test
  void fromFloat_outOfRange_isInfinite() {
    assertThat(Half.fromFloat(65519.996f)).isEqualTo((short) 0x7bff);
    assertThat(Half.fromFloat(65520)).isEqualTo((short) 0x7c00);
    assertThat(Half.fromFloat(-Float.MAX_VALUE)).isEqualTo((short) 0xfc00);
  }

  @Test
  void bfloatToFloat_any_isTheUpperHalfOfAFloat() {
    Random random = new Random(7);
    for (int i = 0; i < 1000; i++) {
      short bits = (short) random.nextInt();
      assertThat(Float.floatToRawIntBits(Half.bfloatToFloat(bits)) >>> 16).isEqualTo(bits & 0xffff);
    }
    assertThat(Half.bfloatToFloat((short) 0xc049)).isEqualTo(-3.140625f);
  }

  @Test
  void bfloatFromFloat_everyBfloat_returnsIt_andBetweenTwoRoundsToNearestEven() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Half.bfloatToFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(Half.bfloatFromFloat(value)).as("bfloat %04x", bits).isEqualTo((short) bits);
      }
    }
    for (int bits = 0; bits < 0x7f7f; bits++) { // positive and finite, with its successor
      float middle = Float.intBitsToFloat(bits << 16 | 0x8000);
      short even = (short) (bits + (bits & 1));
      String where = "between %04x and the next".formatted(bits);
      assertThat(Half.bfloatFromFloat(middle)).as(where).isEqualTo(even);
      assertThat(Half.bfloatFromFloat(Math.nextDown(middle))).as(where).isEqualTo((short) bits);
      assertThat(Half.bfloatFromFloat(Math.nextUp(middle))).as(where).isEqualTo((short) (bits + 1));
    }
    assertThat(Half.bfloatToFloat(Half.bfloatFromFloat(Float.intBitsToFloat(0x7f800001)))).isNaN();
    assertThat(Half.bfloatFromFloat(-Float.MAX_VALUE)).isEqualTo((short) 0xff80);
  }
}
