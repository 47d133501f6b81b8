package io.harmonica.sampler;

/**
 * How the signal falls with time, t from 0 to 1: {@code x = alpha x0 + sigma epsilon}, {@code
 * lambda = ln(alpha / sigma)}. In fp32 and in the order of DPM-Solver's code ({@code
 * NoiseScheduleVP} in U-ViT's {@code dpm_solver_pp.py} and {@code dpm_solver_pytorch.py}): near the
 * picture one last bit of {@code 1 - alpha^2} moves times by tenths.
 */
interface Curve {

  /** {@code ln alpha} at a time. */
  float logAlpha(float t);

  /** The time of a lambda. */
  float time(float lambda);

  /** Where a trajectory ends: just before the picture. */
  float end();

  /** What solvers on it step in: the picture (DPM-Solver++), or the noise (DPM-Solver). */
  boolean solvesForPicture();

  default float alpha(float t) {
    return Fp32.exp(logAlpha(t));
  }

  default float sigma(float t) {
    return Fp32.sqrt(1 - Fp32.exp(2 * logAlpha(t)));
  }

  default float lambda(float t) {
    float logAlpha = logAlpha(t);
    return logAlpha - 0.5f * Fp32.log(1 - Fp32.exp(2 * logAlpha));
  }

  /**
   * Lines between training's timesteps.
   *
   * @param times of them, increasing
   * @param logAlphas there
   */
  record Interpolated(float[] times, float[] logAlphas) implements Curve {

    static Interpolated of(AnyTime noising) {
      int steps = noising.trainTimesteps();
      float[] times = new float[steps];
      float[] logAlphas = new float[steps];
      double sum = 0; // torch's cumsum sums in fp64
      for (int k = 0; k < steps; k++) {
        times[k] = Fp32.linspace(k, steps, 1f / steps, 1);
        double beta = noising.betas().beta(k, steps, noising.betaStart(), noising.betaEnd());
        sum += Fp32.log(1 - (float) beta);
        logAlphas[k] = 0.5f * (float) sum;
      }
      return new Interpolated(times, logAlphas);
    }

    @Override
    public float logAlpha(float t) {
      return Fp32.interpolate(t, times, logAlphas);
    }

    @Override
    public float time(float lambda) {
      float logAlpha = -0.5f * Fp32.softplus(-2 * lambda);
      return Fp32.interpolate(logAlpha, reversed(logAlphas), reversed(times));
    }

    private static float[] reversed(float[] values) {
      float[] reversed = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        reversed[i] = values[values.length - 1 - i];
      }
      return reversed;
    }

    @Override
    public float end() {
      return times[0];
    }

    @Override
    public boolean solvesForPicture() {
      return true;
    }
  }

  /**
   * The variance-preserving SDE (Song et al., arXiv 2011.13456): beta grows linearly with time.
   *
   * @param start beta at time 0
   * @param stop beta at time 1
   */
  record Continuous(double start, double stop) implements Curve {

    @Override
    public float logAlpha(float t) {
      return -0.25f * (t * t) * (float) (stop - start) - 0.5f * t * (float) start;
    }

    @Override
    public float time(float lambda) {
      float growth = (float) (stop - start);
      float q = 2 * growth * Fp32.softplus(-2 * lambda);
      return q / (Fp32.sqrt((float) (start * start) + q) + (float) start) / growth;
    }

    @Override
    public float end() {
      return 1e-4f;
    }

    @Override
    public boolean solvesForPicture() {
      return false;
    }
  }
}
