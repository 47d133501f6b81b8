package io.harmonica.model;

import io.harmonica.HarmonicaException;

/** What classifier-free guidance leads away from: the condition of the second half of a pass. */
public enum Unconditional {
  /** A negative text, or the empty one. */
  TEXT(4.5),

  /** The null class, to which a part of the labels was changed in training. */
  NULL_CLASS(1.5),

  /** Nothing: the model was trained without class dropout, and knows real classes only. */
  NONE(1),

  /** Nothing: the model is told nothing of the picture. */
  NOTHING(1);

  private final double defaultGuidance;

  Unconditional(double defaultGuidance) {
    this.defaultGuidance = defaultGuidance;
  }

  /** The scale of guidance where neither user nor model says; 1 is none. */
  public double defaultGuidance() {
    return defaultGuidance;
  }

  /** Whether there is anything that guidance could lead away from. */
  public boolean guides() {
    return defaultGuidance > 1;
  }

  /**
   * Refuses a scale that needs what the model does not have.
   *
   * @param model its name, for the message
   */
  public void requireGuides(double scale, String model) {
    if (this == NONE && scale > 1) {
      throw new HarmonicaException(
          "guidance %s needs a null class to lead away from, and model %s has none, as it was trained without class dropout: use `guidance` 1, or leave it out"
              .formatted(scale, model));
    }
    if (this == NOTHING && scale > 1) {
      throw new HarmonicaException(
          "guidance %s needs a class or a text to lead towards, and model %s takes neither: use `guidance` 1, or leave it out"
              .formatted(scale, model));
    }
  }
}
