package io.harmonica.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Weights;
import io.harmonica.origin.Model;
import java.util.Map;
import java.util.OptionalInt;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Native memory is freed when it should be, and not before. */
class ScopeTest {
  private TorchOps ops;
  private long before;

  @BeforeEach
  void open() {
    ops = TorchOps.open(Weights.NONE, Device.of("cpu"), Precision.FP32);
    try (Scope scope = Scope.open()) {
      ops.input(new float[1], 1); // whatever JavaCPP sets up once
    }
    before = Pointer.totalCount();
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(Pointer.totalCount()).isEqualTo(before);
    ops.close();
  }

  @Test
  void close_freesWhatWasMadeInside() {
    try (Scope scope = Scope.open()) {
      ops.square(ops.input(new float[] {3}, 1));
      assertThat(Pointer.totalCount()).isGreaterThan(before);
    }
  }

  @Test
  void failure_freesToo() {
    assertThatThrownBy(
            () -> {
              try (Scope scope = Scope.open()) {
                Value x = ops.leaf(new float[6], 2, 3);
                ops.concat(0, java.util.List.of(x, ops.input(new float[4], 2, 2)));
              }
            })
        .hasMessageContaining("Sizes of tensors must match");
  }

  @Test
  void keep_outlivesTheScopes_untilClosed() {
    Value kept;
    try (Scope outer = Scope.open()) {
      try (Scope inner = Scope.open()) {
        kept = inner.keep(ops.square(ops.input(new float[] {3}, 1)));
      }
      assertThat(kept.floats()).containsExactly(9);
    }
    assertThat(kept.floats()).containsExactly(9);
    kept.close();
  }

  @Test
  void keep_ofAParameterOrConstant_leavesTheCachedOne() {
    try (Scope outer = Scope.open()) {
      Value kept;
      try (Scope inner = Scope.open()) {
        kept = inner.keep(ops.toPrecision(ops.constant(new float[] {5}, 1)));
      }
      kept.close();
      assertThat(ops.constant(new float[] {5}, 1).floats()).containsExactly(5);
    }
    before += 1; // the constant, until ops closes
  }

  @Test
  void withoutGradients_recordsNothing_untilItCloses() {
    try (Scope outer = Scope.open()) {
      Value x = ops.leaf(new float[] {3}, 1);
      Value silent;
      try (Scope quiet = Scope.withoutGradients()) {
        try (Scope inner = Scope.open()) {
          silent = quiet.keep(ops.square(x));
        }
        assertThat(silent.tensor.requires_grad()).isFalse();
      }
      Value loud = ops.square(x);
      ops.sum(ops.mul(loud, silent)).backward();
      assertThat(x.gradient()).containsExactly(9 * 2 * 3);
      silent.close();
    }
  }

  @Test
  void operation_withoutAScope_isRefused() {
    assertThatIllegalStateException()
        .isThrownBy(() -> ops.input(new float[1], 1))
        .withMessageContaining("no Scope is open");
  }

  /**
   * The process stays between 340 and 380 MB from the second step on; one hidden state kept for
   * each block and step would add 120 MB.
   */
  @Test
  void trainingSteps_takeNoMoreMemoryThanTheFirst() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES);
        TorchOps model =
            TorchOps.open(
                Model.of(checkpoint, OptionalInt.empty()).weights(),
                Device.of("cpu"),
                Precision.FP32)) {
      Model shapes = Model.of(checkpoint, OptionalInt.empty());
      long count = 0;
      long bytes = 0;
      for (int step = 0; step < 40; step++) {
        try (Scope scope = Scope.open()) {
          Value x = model.leaf(new float[8 * 3 * 32 * 32], 8, 3, 32, 32);
          Value t = model.input(new long[] {9, 9, 9, 9, 9, 9, 9, 9}, 8, 1);
          Map<String, Value> outputs =
              Pass.run(
                  shapes.denoiser(), model, Map.of("sample", x, "timestep", t, "class_label", t));
          model.mean(model.square(outputs.get(Pass.PREDICTION))).backward();
          assertThat(x.gradient())
              .hasSize(8 * 3 * 32 * 32)
              .isNotEqualTo(new float[8 * 3 * 32 * 32]);
        }
        if (step == 0) {
          count = Pointer.totalCount();
        }
        assertThat(Pointer.totalCount()).isEqualTo(count);
        if (step == 9) {
          bytes = Pointer.physicalBytes();
        }
      }
      assertThat(Pointer.physicalBytes() - bytes).isLessThan(60L << 20);
    }
  }
}
