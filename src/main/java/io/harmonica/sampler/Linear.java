package io.harmonica.sampler;

import java.util.List;

/**
 * A deterministic step as numbers, so that a server can make it, whatever the sampler. For the
 * sample x, the model's output e and what earlier steps left, {@code state} and {@code start},
 * first the picture that the output means, {@code x0 = (pictureOfSample x + pictureOfOutput e) /
 * pictureDivisor}, then {@code x' = ofSample x + ofPicture x0 + ofOutput e + ofChange (x0 - state)
 * + ofStart start + ofState state}.
 *
 * <p>A step that {@code keeps} leaves state and start as they are; any other leaves its x0 and x.
 *
 * <p>For example, DDIM of predicted noise is {@code x0 = (x - noise e) / signal}, {@code x' = next
 * x0 + direction e}: {@code (1, -noise, signal, 0, next, direction, 0)}. These are more numbers
 * than a linear step needs; with them it rounds as the samplers here do. A solver that steps in the
 * noise has that for the picture: {@code (0, 1, 1, ...)}.
 *
 * @param keeps 1 within an update of several evaluations, else 0
 */
public record Linear(
    float pictureOfSample,
    float pictureOfOutput,
    float pictureDivisor,
    float ofSample,
    float ofPicture,
    float ofOutput,
    float ofChange,
    float ofStart,
    float ofState,
    float keeps) {

  /** A step that reads at most the picture of the step before. */
  public Linear(
      float pictureOfSample,
      float pictureOfOutput,
      float pictureDivisor,
      float ofSample,
      float ofPicture,
      float ofOutput,
      float ofChange) {
    this(
        pictureOfSample,
        pictureOfOutput,
        pictureDivisor,
        ofSample,
        ofPicture,
        ofOutput,
        ofChange,
        0,
        0,
        0);
  }

  /** The same picture, in a step that goes out from the start of its update. */
  Linear within(float start, float state, float change) {
    return new Linear(
        pictureOfSample, pictureOfOutput, pictureDivisor, 0, 0, 0, change, start, state, 1);
  }

  /** Whether it goes on with an update that an earlier step began. */
  public boolean isWithin() {
    return keeps != 0;
  }

  /** Whether it reads what earlier steps left. */
  public boolean readsState() {
    return ofChange != 0 || ofState != 0 || ofStart != 0;
  }

  /** In the order of the components, as the step engine and the manifest have them. */
  public float[] numbers() {
    return new float[] {
      pictureOfSample,
      pictureOfOutput,
      pictureDivisor,
      ofSample,
      ofPicture,
      ofOutput,
      ofChange,
      ofStart,
      ofState,
      keeps
    };
  }

  /**
   * Makes the step in place, as the step engine does.
   *
   * @param state what earlier steps left, state and start; read where {@link #readsState}
   * @return what it leaves
   */
  List<float[]> move(float[] x, float[] output, List<float[]> state) {
    float[] pictures = new float[x.length];
    float[] samples = x.clone();
    for (int i = 0; i < x.length; i++) {
      float picture = (pictureOfSample * x[i] + pictureOfOutput * output[i]) / pictureDivisor;
      float next = ofSample * x[i] + (ofPicture * picture + ofOutput * output[i]);
      if (readsState()) {
        float left = state.get(0)[i];
        next += ofStart * state.get(1)[i] + ofState * left + ofChange * (picture - left);
      }
      pictures[i] = picture;
      x[i] = next;
    }
    return isWithin() ? state : List.of(pictures, samples);
  }
}
