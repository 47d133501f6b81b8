package io.harmonica.sampler;

import io.harmonica.Timesteps;
import java.util.List;
import java.util.Optional;

/**
 * DPM-Solver++(2M) (Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion
 * Probabilistic Models", arXiv 2211.01095, algorithm 2).
 *
 * <p>As PixArt configures diffusers' {@code DPMSolverMultistepScheduler}, in its order and fp32: no
 * noise is left after the last step, and that step and the first are of first order.
 */
record DpmSolver(Timesteps timesteps, LogSnr points, Predicts predicts) implements Sampler {

  static DpmSolver of(Timesteps timesteps, NoiseSchedule schedule, Predicts predicts) {
    return new DpmSolver(timesteps, LogSnr.of(timesteps, schedule, 0), predicts);
  }

  @Override
  public boolean needsNoise(int step) {
    return false;
  }

  /**
   * What a step multiplies with: {@code x' = ofX x - ofX0 (x0 + slope / 2 (x0 - previous))}.
   *
   * @param slope 0 where it is of first order
   */
  private record Factors(float ofX, float ofX0, float slope) {}

  private Factors factors(int step, boolean second) {
    float[] lambda = points.lambda();
    float h = lambda[step + 1] - lambda[step];
    return new Factors(
        points.sigma()[step + 1] / points.sigma()[step],
        points.alpha()[step + 1] * ((float) Math.exp(-h) - 1),
        second ? 1 / ((lambda[step] - lambda[step - 1]) / h) : 0);
  }

  private boolean isLast(int step) {
    return step + 1 == timesteps.size();
  }

  @Override
  public Optional<Linear> linear(int step) {
    Factors f = factors(step, step > 0 && !isLast(step));
    float alpha = points.alpha()[step];
    float sigma = points.sigma()[step];
    float ofChange = -0.5f * f.ofX0 * f.slope;
    return Optional.of(
        switch (predicts) {
          case NOISE -> new Linear(1, -sigma, alpha, f.ofX, -f.ofX0, 0, ofChange);
          case PICTURE -> new Linear(0, 1, 1, f.ofX, -f.ofX0, 0, ofChange);
          case VELOCITY -> new Linear(alpha, -sigma, 1, f.ofX, -f.ofX0, 0, ofChange);
        });
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
      boolean second = previous != null && !isLast(step);
      Factors f = factors(step, second);
      for (int i = 0; i < x.length; i++) {
        x[i] = f.ofX * x[i] - f.ofX0 * x0[i];
        if (second) {
          x[i] -= 0.5f * f.ofX0 * (f.slope * (x0[i] - previous[i]));
        }
      }
      previous = x0;
    }

    @Override
    public List<float[]> state() {
      return previous == null ? List.of() : List.of(previous);
    }

    @Override
    public void resume(int last, List<float[]> state) {
      order.resume(last);
      previous = state.isEmpty() ? null : state.get(0).clone();
    }

    @Override
    public Stepper fork() {
      return new Steps(order.fork(), previous);
    }
  }
}
