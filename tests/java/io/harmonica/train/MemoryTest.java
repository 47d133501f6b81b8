package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Denoiser;
import io.harmonica.origin.Model;
import io.harmonica.router.Grain;
import io.harmonica.router.Reuse;
import io.harmonica.train.search.Measure;
import io.harmonica.train.search.Routed;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import org.junit.jupiter.api.Test;

class MemoryTest {
  private static final long GIB = 1L << 30;

  @Test
  void requireRoom_tooMuch_saysWhatFits() {
    assertThatThrownBy(() -> Memory.requireRoom(GIB, 64, 10 * GIB))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`batch` 64 needs about 64.0 GiB of memory, and 10.0 GiB are available: `batch` 10 would fit");
    assertThatThrownBy(() -> Memory.requireRoom(GIB, 2, GIB / 2))
        .hasMessageEndingWith("not even `batch` 1 fits");
    assertThatCode(() -> Memory.requireRoom(GIB, 10, 10 * GIB)).doesNotThrowAnyException();
  }

  @Test
  void requireHeap_tooMuch_saysWhatFits() {
    assertThatThrownBy(() -> Memory.requireHeap(3 * GIB, 4, 6 * GIB))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`exchange` with `batch` 4 needs about 12.0 GiB of Java's heap, which may grow to 6.0 GiB: start with JAVA_OPTS=-Xmx15g, or `batch` 2");
    assertThatThrownBy(() -> Memory.requireHeap(3 * GIB, 1, 2 * GIB))
        .hasMessageEndingWith("start with JAVA_OPTS=-Xmx5g");
    assertThatCode(() -> Memory.requireHeap(3 * GIB, 2, 6 * GIB)).doesNotThrowAnyException();
  }

  @Test
  void requireHeap_coversWhatARoutedTrajectoryKeeps() {
    try (Tiny tiny = new Tiny(3)) {
      Denoising denoising = tiny.denoising();
      Batch batch = denoising.draw(2, 1);
      Measure.Routing routing =
          new Measure.Routing(tiny.table(0).computes(0.1), new Reuse.Forecast(1)::weights);
      Routed routed = Routed.of(denoising, batch, 2, routing);
      long kept = 0;
      for (int s = 0; s < 3; s++) {
        for (int b = 0; b < denoising.columns(); b++) {
          kept += routed.computed()[s][b].length;
          kept += routed.reused()[s][b] == null ? 0 : routed.reused()[s][b].output().length;
        }
      }
      long asked = Memory.heapBytes(tiny.task.model(), Grain.BRANCH, 3, 2) * 2;
      assertThat(asked).isGreaterThanOrEqualTo(kept * Float.BYTES).isLessThan(3 * kept * 4);
    }
  }

  @Test
  void requireRoom_absurdBatch_isRefusedHere() {
    Denoiser model = Model.named("DiT-XL/2").denoiser();
    TrainOptions absurd = Tiny.Settings.SHORT.options(4096);
    assertThatThrownBy(() -> Memory.requireRoom(model, absurd, true))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("`batch` 4096 needs about ");
    assertThatCode(() -> Memory.requireRoom(model, absurd, false)).doesNotThrowAnyException();
    TrainOptions exchanging = Tiny.Settings.SHORT.exchange(1).options(4096);
    assertThatThrownBy(() -> Memory.requireRoom(model, exchanging, false))
        .hasMessageStartingWith("`exchange` with `batch` 4096 needs about ");
    assertThatCode(() -> Memory.requireRoom(model, Tiny.Settings.SHORT.options(1), true))
        .doesNotThrowAnyException();
  }

  @Test
  void exhausted_namesABatchThatWasTried() {
    RuntimeException fault = new RuntimeException("out of memory");
    assertThat(Memory.exhausted(48, batch -> batch <= 10, fault))
        .hasMessage("out of memory with `batch` 48: `batch` 6 fits")
        .hasCause(fault);
    assertThat(Memory.exhausted(1, batch -> true, fault))
        .hasMessageContaining("not even `batch` 1 fits");
  }
}
