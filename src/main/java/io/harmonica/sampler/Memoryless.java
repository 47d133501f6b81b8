package io.harmonica.sampler;

/**
 * A sampler whose steps need nothing of earlier ones: it is its own stepper, of all trajectories.
 */
interface Memoryless extends Sampler, Stepper {
  @Override
  default Stepper start() {
    return this;
  }

  @Override
  default Stepper fork() {
    return this;
  }
}
