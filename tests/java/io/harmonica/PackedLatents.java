package io.harmonica;

/** Latents as FLUX's pipeline packs them, four elements of each channel to a token. */
public record PackedLatents(int channels, int height, int width) {

  /** [B, N, 4 C] to [B, C, H, W]: element (dy, dx) of channel c is the token's 4 c + 2 dy + dx. */
  public float[] unpack(float[] packed) {
    float[] latents = new float[packed.length];
    int size = channels * height * width;
    for (int i = 0; i < packed.length; i++) {
      int row = i / size;
      int c = i % size / (height * width);
      int y = i % (height * width) / width;
      int x = i % width;
      int token = y / 2 * (width / 2) + x / 2;
      latents[i] = packed[row * size + token * 4 * channels + 4 * c + 2 * (y % 2) + x % 2];
    }
    return latents;
  }
}
