package io.harmonica.model;

/**
 * What an autoencoder's latents are multiplied by and shifted for denoising: {@code (z - shift) *
 * scaling}, diffusers' {@code scaling_factor} and {@code shift_factor}.
 *
 * @param channels C
 */
public record LatentSpace(int channels, double scaling, double shift) {

  /** One whose latents are not shifted. */
  public LatentSpace(int channels, double scaling) {
    this(channels, scaling, 0);
  }

  /** The autoencoder's own latents, from those of a denoiser: divided first, then shifted. */
  <T> T own(Ops<T> ops, T latents) {
    T x = ops.mul(latents, ops.constant(new float[] {(float) (1 / scaling)}, 1));
    return shift == 0 ? x : ops.add(x, ops.constant(new float[] {(float) shift}, 1));
  }
}
