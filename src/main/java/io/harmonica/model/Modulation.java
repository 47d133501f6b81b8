package io.harmonica.model;

/**
 * The rows of what modulates a block or the head: tensors (B, 6, D) and (B, 2, D), which the
 * condition engine makes of timestep and label or text.
 *
 * <p>Names and order are those of {@code shift_msa, scale_msa, gate_msa, shift_mlp, scale_mlp,
 * gate_mlp} in facebookresearch/DiT's {@code models.py}; PixArt keeps them. A block computes {@code
 * x + gate * branch(norm(x) * (1 + scale) + shift)}.
 */
enum Modulation {
  SHIFT_ATTENTION(0),
  SCALE_ATTENTION(1),
  GATE_ATTENTION(2),
  SHIFT_MLP(3),
  SCALE_MLP(4),
  GATE_MLP(5),
  SHIFT_HEAD(0),
  SCALE_HEAD(1),
  /** Of a second attention, in Stable Diffusion 3.5. */
  SHIFT_SECOND(6),
  SCALE_SECOND(7),
  GATE_SECOND(8),
  /** Of diffusers' {@code AdaLayerNormContinuous}, which has the scale first. */
  SCALE_LAST(0),
  SHIFT_LAST(1);

  private final int row;

  Modulation(int row) {
    this.row = row;
  }

  /** This row of a block's or the head's modulation: (B, rows, D) to (B, 1, D). */
  <T> T of(Ops<T> ops, T modulation) {
    return ops.slice(modulation, 1, row, row + 1);
  }
}
