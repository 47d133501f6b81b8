package io.harmonica.sampler;

/** Makes a sampler's steps as a step engine does, by their numbers. */
final class ByNumbers {
  private float[] state;
  private float[] start;

  /** Makes a step in place; the sampler's steps must be numbers. */
  void step(Linear linear, float[] x, float[] output) {
    float[] picture = new float[x.length];
    float[] sample = x.clone();
    for (int i = 0; i < x.length; i++) {
      float before = state == null ? 0 : state[i];
      float from = start == null ? 0 : start[i];
      picture[i] =
          (linear.pictureOfSample() * x[i] + linear.pictureOfOutput() * output[i])
              / linear.pictureDivisor();
      x[i] =
          linear.ofSample() * x[i]
              + (linear.ofPicture() * picture[i] + linear.ofOutput() * output[i])
              + (linear.ofStart() * from + linear.ofState() * before)
              + linear.ofChange() * (picture[i] - before);
    }
    if (linear.keeps() == 0) {
      state = picture;
      start = sample;
    }
  }
}
