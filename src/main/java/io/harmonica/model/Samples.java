package io.harmonica.model;

/**
 * The samples that a model denoises, (B, channels, height, width), and the predictions that it
 * makes of them.
 *
 * @param channels C of a sample; a prediction has more where the model learned a variance
 * @param pixelsPerElement side of the square of pixels that an element of a sample stands for: 1
 *     for a model that works on pixels, 8 in the latent space of the usual autoencoders
 */
public record Samples(
    int channels, int outputChannels, int height, int width, int pixelsPerElement) {

  /** Whether the model predicts a variance beside the noise. */
  public boolean learnsVariance() {
    return outputChannels == 2 * channels;
  }
}
