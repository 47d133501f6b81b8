package io.harmonica.sampler;

import java.util.List;

/**
 * DPM-Solver++(2M) (Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion
 * Probabilistic Models", arXiv 2211.01095, algorithm 2).
 *
 * <p>As PixArt configures diffusers' {@code DPMSolverMultistepScheduler}, in its order and fp32: no
 * noise is left after the last step, and that step and the first are of first order.
 */
record DpmSolver(List<Integer> timesteps, LogSnr points, Predicts predicts) implements Sampler {

  static DpmSolver of(List<Integer> timesteps, NoiseSchedule schedule, Predicts predicts) {
    return new DpmSolver(timesteps, LogSnr.of(timesteps, schedule, 0), predicts);
  }

  @Override
  public boolean needsNoise(int step) {
    return false;
  }

  @Override
  public Stepper start() {
    return new Steps(new InOrder(), null);
  }

  /** Remembers the picture that the previous step predicted. */
  private final class Steps implements Stepper {
    private final InOrder order;
    private float[] previous; // replaced, never written to

    Steps(InOrder order, float[] previous) {
      this.order = order;
      this.previous = previous;
    }

    @Override
    public void step(int step, float[] x, Prediction prediction, float[] noise) {
      order.require(step);
      float[] x0 = points.x0(step, x, prediction.output(), predicts);
      float[] lambda = points.lambda();
      float h = lambda[step + 1] - lambda[step];
      float ofX = points.sigma()[step + 1] / points.sigma()[step];
      float ofX0 = points.alpha()[step + 1] * ((float) Math.exp(-h) - 1);
      boolean second = previous != null && step + 1 < timesteps.size();
      float slope = second ? 1 / ((lambda[step] - lambda[step - 1]) / h) : 0;
      for (int i = 0; i < x.length; i++) {
        x[i] = ofX * x[i] - ofX0 * x0[i];
        if (second) {
          x[i] -= 0.5f * ofX0 * (slope * (x0[i] - previous[i]));
        }
      }
      previous = x0;
    }

    @Override
    public Stepper fork() {
      return new Steps(order.fork(), previous);
    }
  }
}
