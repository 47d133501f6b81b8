package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PortTest {
  @Test
  void sizeBytes_isOfTheWholeBatch() {
    assertThat(new Port("half", Element.FP16, 3, 5).sizeBytes(2)).hasValue(60);
    assertThat(new Port("scalar", Element.INT64).sizeBytes(1)).hasValue(8);
  }

  @Test
  void sizeBytes_ofAnOpenShapeOrWords_isUnknown() {
    assertThat(new Port("open", Element.FP32, Port.ANY, 4).sizeBytes(2)).isEmpty();
    assertThat(new Port("both", Element.FP32, Port.ANY, Port.ANY).sizeBytes(2)).isEmpty();
    assertThat(new Port("words", Element.STRING, 4).sizeBytes(2)).isEmpty();
  }

  @Test
  void sizeBytes_beyondALong_isNoOtherSize() {
    Port port = new Port("huge", Element.FP32, 1L << 31, 1L << 31);
    assertThatThrownBy(() -> port.sizeBytes(1)).isInstanceOf(ArithmeticException.class);
  }

  @Test
  void batched_hasTheBatchFirst() {
    assertThat(new Port("x", Element.FP32, 4, Port.ANY).batched(2)).containsExactly(2, 4, -1);
  }
}
