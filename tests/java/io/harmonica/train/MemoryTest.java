package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import org.junit.jupiter.api.Test;

class MemoryTest {
  private static final long GIB = 1L << 30;

  @Test
  void requireRoom_tooMuch_saysWhatFits() {
    assertThatThrownBy(() -> Memory.requireRoom(GIB, 64, 10 * GIB))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "--batch 64 needs about 64.0 GiB of memory, and 10.0 GiB are available: --batch 10 would fit");
    assertThatThrownBy(() -> Memory.requireRoom(GIB, 2, GIB / 2))
        .hasMessageEndingWith("not even --batch 1 fits");
    assertThatCode(() -> Memory.requireRoom(GIB, 10, 10 * GIB)).doesNotThrowAnyException();
  }

  @Test
  void requireRoom_absurdBatch_isRefusedHere() {
    try (Tiny tiny = new Tiny(3)) {
      assertThatThrownBy(() -> Memory.requireRoom(tiny.subject.model(), 1 << 30, 2))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("would fit");
      assertThatCode(() -> Memory.requireRoom(tiny.subject.model(), 1, 2))
          .doesNotThrowAnyException();
    }
  }

  @Test
  void exhausted_namesABatchThatWasTried() {
    RuntimeException fault = new RuntimeException("out of memory");
    assertThat(Memory.exhausted(48, batch -> batch <= 10, fault))
        .hasMessage("out of memory with --batch 48: --batch 6 fits")
        .hasCause(fault);
    assertThat(Memory.exhausted(1, batch -> true, fault))
        .hasMessageContaining("not even --batch 1 fits");
  }
}
