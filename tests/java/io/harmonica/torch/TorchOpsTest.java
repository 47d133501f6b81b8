package io.harmonica.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Weights;
import io.harmonica.origin.Model;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/** What {@link TorchOps} promises beside the numbers, which the golden tests hold. */
class TorchOpsTest {

  private static TorchOps open(Weights weights, Precision precision) {
    return TorchOps.open(weights, Device.of("cpu"), precision);
  }

  /** Parameters of ones that counts how often each is read. */
  private record Counting(Map<String, Integer> reads) implements Weights {
    @Override
    public void require(String name, long... shape) {
      if (shape[0] != 2) {
        throw new HarmonicaException(name + " has another shape");
      }
    }

    @Override
    public float[] read(String name, long... shape) {
      reads.merge(name, 1, Integer::sum);
      float[] ones = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
      Arrays.fill(ones, 1);
      return ones;
    }
  }

  @Test
  void parameters_areReadOnce_andOutliveScopes() {
    Counting weights = new Counting(new TreeMap<>());
    try (TorchOps ops = open(weights, Precision.FP32)) {
      for (int i = 0; i < 3; i++) {
        try (Scope scope = Scope.open()) {
          Value x = ops.input(new float[] {1, 2, 3}, 1, 3);
          assertThat(ops.linear(x, "map", 3, 2).floats()).containsExactly(7, 7);
          assertThat(ops.parameter("map.bias", 2).floats()).containsExactly(1, 1);
          assertThat(ops.constant(new float[] {4}, 1).floats()).containsExactly(4);
        }
      }
    }
    assertThat(weights.reads()).isEqualTo(Map.of("map.weight", 1, "map.bias", 1));
  }

  @Test
  void constants_areSharedByContentOnly() {
    try (TorchOps ops = open(Weights.NONE, Precision.FP32);
        Scope scope = Scope.open()) {
      float[] values = {1, 2};
      ops.constant(values, 2);
      values[0] = 5; // the caller's array is its own
      assertThat(ops.constant(new float[] {1, 2}, 2).floats()).containsExactly(1, 2);
      assertThat(ops.constant(values, 2).floats()).containsExactly(5, 2);
      assertThat(ops.constant(new float[] {1, 2}, 2, 1).shape()).containsExactly(2, 1);
    }
  }

  @Test
  void parameterOfAnotherShape_isRefused_alsoWhenItIsThereAlready() {
    try (TorchOps ops = open(new Counting(new TreeMap<>()), Precision.FP32);
        Scope scope = Scope.open()) {
      ops.parameter("p", 2, 3);
      assertThatThrownBy(() -> ops.parameter("p", 3, 2))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage("p has another shape");
    }
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT);
        TorchOps ops = open(Model.of(checkpoint, OptionalInt.empty()).weights(), Precision.FP32);
        Scope scope = Scope.open()) {
      assertThatThrownBy(() -> ops.parameter("blocks.0.mlp.fc1.bias", 7))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("has shape [128], expected [7]");
    }
  }

  @Test
  void bf16_holdsParametersAndActivations_butNotData() {
    try (TorchOps ops = open(new Counting(new TreeMap<>()), Precision.BF16);
        Scope scope = Scope.open()) {
      Value x = ops.input(new float[] {1.001f}, 1);
      assertThat(x.floats()).containsExactly(1.001f);
      assertThat(ops.constant(new float[] {1.001f}, 1).floats()).containsExactly(1.001f);
      assertThat(ops.toPrecision(x).floats()).containsExactly(1); // 8 bits
      assertThat(ops.parameter("p", 2).type()).isEqualTo(torch.ScalarType.BFloat16);
      assertThat(ops.toFloat(ops.toPrecision(x)).type()).isEqualTo(torch.ScalarType.Float);
    }
  }

  @Test
  void gradient_passesThroughPrecisions() {
    try (TorchOps ops = open(Weights.NONE, Precision.BF16);
        Scope scope = Scope.open()) {
      Value x = ops.leaf(new float[] {2, 3}, 2);
      Value y = ops.toFloat(ops.square(ops.toPrecision(x)));
      ops.sum(y).backward();
      assertThat(x.gradient()).containsExactly(4, 6);
    }
  }

  /** The operations of {@link io.harmonica.model.Ops} are held to OnnxOps by golden models. */
  @Test
  void operationsOfItsOwn_giveTheirNumbers() {
    try (TorchOps ops = open(Weights.NONE, Precision.FP32);
        Scope scope = Scope.open()) {
      Value x = ops.input(new float[] {1, -2, 4}, 3);
      assertThat(ops.sub(x, ops.input(new float[] {3}, 1)).floats()).containsExactly(-2, -5, 1);
      assertThat(ops.square(x).floats()).containsExactly(1, 4, 16);
      assertThat(ops.sum(x).item()).isEqualTo(3);
      assertThat(ops.mean(x).shape()).isEmpty();
      assertThat(ops.mean(x).item()).isEqualTo(1);
      assertThat(ops.sigmoid(x).floats())
          .usingComparatorWithPrecision(1e-6f)
          .containsExactly(0.7310586f, 0.1192029f, 0.9820138f);
      assertThat(ops.input(new long[] {7, -1}, 2, 1).shape()).containsExactly(2, 1);
    }
  }

  @Test
  void mixedTypes_areRefused() {
    try (TorchOps ops = open(Weights.NONE, Precision.BF16);
        Scope scope = Scope.open()) {
      Value single = ops.input(new float[] {1}, 1);
      Value half = ops.toPrecision(single);
      for (Runnable mixed :
          List.<Runnable>of(
              () -> ops.add(half, single),
              () -> ops.mul(half, single),
              () -> ops.sub(half, single),
              () -> ops.concat(0, List.of(half, single)))) {
        assertThatIllegalArgumentException()
            .isThrownBy(mixed::run)
            .withMessageContaining("of BFloat16 and Float: convert with toFloat");
      }
    }
  }

  @Test
  void valuesThatDoNotFillTheShape_areRefused() {
    try (TorchOps ops = open(Weights.NONE, Precision.FP32);
        Scope scope = Scope.open()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ops.input(new float[5], 2, 3))
          .withMessage("5 values for shape [2, 3]");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ops.input(new long[5], 2, 3))
          .withMessage("5 values for shape [2, 3]");
    }
  }

  @Test
  void gradient_isOfLeavesOnly_andZeroWhereNoLossReaches() {
    try (TorchOps ops = open(Weights.NONE, Precision.FP32);
        Scope scope = Scope.open()) {
      Value leaf = ops.leaf(new float[] {1, 2}, 2);
      assertThat(leaf.gradient()).containsExactly(0, 0);
      assertThatIllegalStateException().isThrownBy(() -> ops.square(leaf).gradient());
      assertThatIllegalStateException().isThrownBy(() -> leaf.detach().gradient());

      Value cut = ops.mul(leaf, ops.square(leaf).detach());
      ops.sum(cut).backward();
      assertThat(leaf.gradient()).containsExactly(1, 4); // not 3 x^2
    }
  }

  @Test
  void tooLittleMemory_isRecognised() {
    try (Scope scope = Scope.open()) {
      assertThatThrownBy(() -> torch.empty(1L << 45).close())
          .matches(TorchOps::isOutOfMemory, "out of memory");
      assertThat(TorchOps.isOutOfMemory(new RuntimeException("sizes of tensors must match")))
          .isFalse();
    }
  }
}
