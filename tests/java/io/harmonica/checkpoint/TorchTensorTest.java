package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TorchTensorTest {
  private static final TorchTensor.Storage SIX = new TorchTensor.Storage(DType.F32, "0", 6);
  private static final long HUGE = 1L << 62;

  private static TorchTensor tensor(long offset, List<Long> shape, List<Long> stride) {
    return new TorchTensor(SIX, offset, shape, stride);
  }

  @Test
  void check_withinTheStorage_passes() {
    assertThatCode(
            () -> {
              tensor(0, List.of(2L, 3L), List.of(3L, 1L)).check("w");
              tensor(1, List.of(2L, 2L), List.of(3L, 1L)).check("w");
              tensor(5, List.of(), List.of()).check("w");
              tensor(6, List.of(0L), List.of(1L)).check("w");
            })
        .doesNotThrowAnyException();
  }

  @Test
  void check_beyondTheStorage_namesEverything() {
    assertRefused(tensor(1, List.of(2L, 3L), List.of(3L, 1L)));
    assertRefused(tensor(-1, List.of(2L), List.of(1L)));
    assertRefused(tensor(0, List.of(-1L), List.of(1L)));
    assertRefused(tensor(5, List.of(2L), List.of(-1L)));
    assertRefused(tensor(0, List.of(2L), List.of()));
    assertRefused(tensor(HUGE, List.of(HUGE, 2L), List.of(1L, HUGE)));
    assertRefused(tensor(0, List.of(HUGE, HUGE), List.of(0L, 0L)));
    assertRefused(tensor(Long.MAX_VALUE, List.of(1L), List.of(1L)));
  }

  private static void assertRefused(TorchTensor tensor) {
    assertThatThrownBy(() -> tensor.check("a.pt: tensor 'w'"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(
            "a.pt: tensor 'w'", tensor.shape().toString(), "beyond its storage of 6 elements");
  }

  @Test
  void contiguous_rowMajorWithoutGaps_only() {
    assertThat(tensor(0, List.of(2L, 3L), List.of(3L, 1L)).contiguous()).isTrue();
    assertThat(tensor(0, List.of(1L, 3L), List.of(99L, 1L)).contiguous()).isTrue();
    assertThat(tensor(0, List.of(0L, 3L), List.of(1L, 7L)).contiguous()).isTrue();
    assertThat(tensor(0, List.of(3L, 2L), List.of(1L, 3L)).contiguous()).isFalse();
    assertThat(tensor(0, List.of(2L, 2L), List.of(3L, 1L)).contiguous()).isFalse();
    assertThat(tensor(0, List.of(3L), List.of(0L)).contiguous()).isFalse();
  }
}
