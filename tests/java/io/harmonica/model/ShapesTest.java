package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ShapesTest {
  private final Shapes ops = new Shapes(Weights.NONE);

  @Test
  void flops_ofDit_areCountedByHand() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Flops flops = Model.of(checkpoint, OptionalInt.empty()).flops();
      long d = 32;
      long n = 16; // 4 x 4 tokens
      long attention = 4 * 2 * n * d * d + 2 * 2 * n * n * d; // q, k, v, out; scores, mixing
      long mlp = 2 * 2 * n * d * 4 * d;
      long patches = 2 * n * d * (4 * 2 * 2);
      long condition = 2 * 256 * d + 2 * d * d; // once: the blocks share their embedder
      long modulation = 3 * 2 * d * 6 * d + 2 * d * 2 * d;
      long head = 2 * n * d * (2 * 2 * 8);
      assertThat(flops.branches())
          .isEqualTo(List.of(attention, mlp, attention, mlp, attention, mlp));
      assertThat(flops.fixed()).isEqualTo(patches + condition + modulation + head);
      assertThat(flops.full()).isEqualTo(flops.fixed() + 3 * (attention + mlp));
    }
  }

  @Test
  void flops_ofPixArt_areCountedByHand() {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("tests/golden/pixart/alpha-256-like"))) {
      Flops flops = Model.of(checkpoint, Choices.NONE.withTextTokens(7)).flops();
      long d = 24;
      long n = 16; // 4 x 4 tokens
      long m = 7; // tokens of text, 20 wide
      long attention = 4 * 2 * n * d * d + 2 * 2 * n * n * d;
      long cross =
          2 * 2 * n * d * d + 2 * 2 * m * d * d + 2 * 2 * n * m * d; // q, out; k, v; mixing
      long mlp = 2 * 2 * n * d * 4 * d;
      long patches = 2 * n * d * (4 * 2 * 2);
      long condition = 2 * 256 * d + 2 * d * d + 2 * d * 6 * d;
      long caption = 2 * m * 20 * d + 2 * m * d * d;
      long head = 2 * n * d * (2 * 2 * 8);
      assertThat(flops.branches()).isEqualTo(List.of(attention, cross, mlp, attention, cross, mlp));
      assertThat(flops.fixed()).isEqualTo(patches + condition + caption + head);
    }
  }

  @Test
  void flops_ofPublishedModels_areThePapers() {
    // Table 4 of arXiv 2212.09748 counts a multiply-add once.
    assertThat(2 * 118.64e9).isCloseTo(gigaFlops("DiT-XL/2"), within(1e9));
    assertThat(2 * 23.01e9).isCloseTo(gigaFlops("DiT-B/2"), within(0.3e9));
    assertThat(2 * 6.06e9).isCloseTo(gigaFlops("DiT-S/2"), within(0.1e9));
  }

  private static double gigaFlops(String architecture) {
    return Model.named(architecture).flops().full();
  }

  @Test
  void embedded_leavesTheBatchOut() {
    var shapes = Shapes.handedOn(Model.named("DiT-S/8").denoiser());
    assertThat(shapes.get("hidden")).containsExactly(16, 384);
    assertThat(shapes.get("block11.modulation")).containsExactly(6, 384);
    assertThat(shapes.get("head.modulation")).containsExactly(2, 384);
    assertThat(shapes).hasSize(14);
  }

  @Test
  void operations_giveTheirShapes() {
    assertThat(ops.linear(shape(2, 5, 8), "w", 8, 3)).containsExactly(2, 5, 3);
    assertThat(ops.conv(shape(1, 4, 8, 6), "w", 4, 7, 2, 2, 0)).containsExactly(1, 7, 4, 3);
    assertThat(ops.conv(shape(1, 4, 8, 6), "w", 4, 7, 3, 2, 1)).containsExactly(1, 7, 4, 3);
    assertThat(ops.groupNorm(shape(1, 4, 8, 6), "w", 2, 4, 1e-6)).containsExactly(1, 4, 8, 6);
    assertThat(ops.upsample(shape(1, 4, 8, 6))).containsExactly(1, 4, 16, 12);
    assertThat(ops.reshapeLike(shape(1, 4, 6), shape(1, 4, 2, 3))).containsExactly(1, 4, 2, 3);
    assertThat(
            ops.attention(shape(2, 5, 8), shape(2, 3, 8), shape(2, 3, 8), shape(2, 1, 1, 3), 2, 8))
        .containsExactly(2, 5, 8);
    assertThat(ops.embedding(shape(3, 1), "w", 11, 8)).containsExactly(3, 8);
    assertThat(ops.add(shape(2, 1, 8), shape(5, 1))).containsExactly(2, 5, 8);
    assertThat(ops.mul(shape(8), shape(2, 5, 8))).containsExactly(2, 5, 8);
    assertThat(ops.reshape(shape(2, 5, 8), 0, -1, 4)).containsExactly(2, 10, 4);
    assertThat(ops.transpose(shape(2, 5, 8), 2, 0, 1)).containsExactly(8, 2, 5);
    assertThat(ops.slice(shape(2, 6, 8), 1, 4, 6)).containsExactly(2, 2, 8);
    assertThat(ops.concat(1, List.of(shape(2, 3), shape(2, 4)))).containsExactly(2, 7);
    assertThat(ops.constant(new float[6], 2, 3)).containsExactly(2, 3);
  }

  @Test
  void operations_refuseWhatDoesNotFit() {
    refused(() -> ops.linear(shape(2, 5, 8), "w", 9, 3));
    refused(() -> ops.conv(shape(1, 3, 8, 8), "w", 4, 7, 2, 2, 0));
    refused(() -> ops.add(shape(2, 5), shape(2, 6)));
    refused(() -> ops.reshape(shape(2, 5), 3, 4));
    refused(() -> ops.transpose(shape(2, 5), 0));
    refused(() -> ops.slice(shape(2, 5), 1, 4, 6));
    refused(() -> ops.layerNorm(shape(2, 5), 6, 1e-6));
    refused(() -> ops.attention(shape(1, 4, 6), shape(1, 4, 6), shape(1, 4, 6), 4, 6));
    refused(() -> ops.groupNorm(shape(1, 4, 8, 6), "w", 3, 4, 1e-6));
    refused(
        () ->
            ops.attention(shape(1, 4, 6), shape(1, 3, 6), shape(1, 3, 6), shape(1, 1, 1, 4), 2, 6));
    refused(() -> ops.constant(new float[5], 2, 3));
  }

  private static void refused(Runnable operation) {
    assertThatIllegalStateException().isThrownBy(operation::run).withMessageContaining("[");
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }
}
