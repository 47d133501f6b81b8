package io.harmonica.sampler;

/**
 * A deterministic step as numbers, so that a server can make it, whatever the sampler. For the
 * sample x, the model's output e and the picture {@code previous} of the step before, first the
 * picture that the output means, {@code x0 = (pictureOfSample x + pictureOfOutput e) /
 * pictureDivisor}, then {@code x' = ofSample x + ofPicture x0 + ofOutput e + ofChange (x0 -
 * previous)}.
 *
 * <p>For example, DDIM of predicted noise is {@code x0 = (x - noise e) / signal}, {@code x' = next
 * x0 + direction e}: {@code (1, -noise, signal, 0, next, direction, 0)}. These are more numbers
 * than a linear step needs; with them it rounds as the samplers here do.
 */
public record Linear(
    float pictureOfSample,
    float pictureOfOutput,
    float pictureDivisor,
    float ofSample,
    float ofPicture,
    float ofOutput,
    float ofChange) {

  /** Whether it reads the picture of the step before. */
  public boolean readsPrevious() {
    return ofChange != 0;
  }

  /** In the order of the components, as the step engine and the manifest have them. */
  public float[] numbers() {
    return new float[] {
      pictureOfSample, pictureOfOutput, pictureDivisor, ofSample, ofPicture, ofOutput, ofChange
    };
  }
}
