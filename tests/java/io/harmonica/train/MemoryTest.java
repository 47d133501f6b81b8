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
  void requireHeap_tooMuch_saysWhatFits() {
    assertThatThrownBy(() -> Memory.requireHeap(3 * GIB, 4, 6 * GIB))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "--exchange with --batch 4 needs about 12.0 GiB of Java's heap, which may grow to 6.0 GiB: start with JAVA_OPTS=-Xmx13g, or --batch 2");
    assertThatThrownBy(() -> Memory.requireHeap(3 * GIB, 1, 2 * GIB))
        .hasMessageEndingWith("start with JAVA_OPTS=-Xmx4g");
    assertThatCode(() -> Memory.requireHeap(3 * GIB, 2, 6 * GIB)).doesNotThrowAnyException();
  }

  @Test
  void requireHeap_holdsWhatARoutedTrajectoryKeeps() {
    try (Tiny tiny = new Tiny(3)) {
      assertThatCode(() -> Memory.requireHeap(tiny.subject.model(), 3, 4, 2))
          .doesNotThrowAnyException();
      assertThatThrownBy(() -> Memory.requireHeap(tiny.subject.model(), 1000, 1 << 24, 2))
          .hasMessageContaining("or --batch");
    }
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
