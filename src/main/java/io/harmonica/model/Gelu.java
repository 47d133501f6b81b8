package io.harmonica.model;

/** How a GELU is computed (Hendrycks and Gimpel, arXiv 1606.08415); x is its input. */
public enum Gelu {
  /** {@code x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))}, as DiT, PixArt and T5. */
  TANH,

  /** {@code x/2 (1 + erf(x / sqrt(2)))}, as U-ViT: torch's default. */
  EXACT
}
