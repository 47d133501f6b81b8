package io.harmonica.sampler;

/** Makes a sampler's steps as a step engine does, by their numbers. */
final class ByNumbers {
  private float[] previous;

  /** Makes a step in place; the sampler's steps must be numbers. */
  void step(Linear linear, float[] x, float[] output) {
    float[] picture = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      float before = previous == null ? 0 : previous[i];
      picture[i] =
          (linear.pictureOfSample() * x[i] + linear.pictureOfOutput() * output[i])
              / linear.pictureDivisor();
      x[i] =
          linear.ofSample() * x[i]
              + (linear.ofPicture() * picture[i] + linear.ofOutput() * output[i])
              + linear.ofChange() * (picture[i] - before);
    }
    previous = picture;
  }
}
