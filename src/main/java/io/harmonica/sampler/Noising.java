package io.harmonica.sampler;

/**
 * What a model was trained on: how noisy its samples were at each time, and what it predicts of
 * them. A sampler may be chosen; this may not, and each kind has samplers of its own.
 */
public sealed interface Noising permits Diffusion, AnyTime, Flow {

  /** The times that it was trained at; a sampler takes no more steps. */
  int trainTimesteps();

  /**
   * A sampler by its name.
   *
   * @throws IllegalArgumentException for an unknown name, one for models of another kind, and steps
   *     or a spacing that are not its
   */
  Sampler sampler(String name, int steps, Spacing spacing);
}
