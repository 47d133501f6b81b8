package io.harmonica.sampler;

/** How much noise each training timestep adds, by the names of diffusers' {@code beta_schedule}. */
public enum Betas {
  /** Evenly from start to end (Ho et al., arXiv 2006.11239). */
  LINEAR("linear") {
    @Override
    double beta(int t, int timesteps, double start, double end) {
      return start + (end - start) * t / (timesteps - 1);
    }

    @Override
    float betaAsDiffusers(int t, int timesteps, double start, double end) {
      return (float) beta(t, timesteps, start, end);
    }
  },

  /** Squares of even steps, as latent diffusion has them (arXiv 2112.10752). */
  SCALED_LINEAR("scaled_linear") {
    @Override
    double beta(int t, int timesteps, double start, double end) {
      double root = LINEAR.beta(t, timesteps, Math.sqrt(start), Math.sqrt(end));
      return root * root;
    }

    @Override
    float betaAsDiffusers(int t, int timesteps, double start, double end) {
      float root = Fp32.linspace(t, timesteps, (float) Math.sqrt(start), (float) Math.sqrt(end));
      return root * root;
    }
  },

  /** The cosine schedule (Nichol and Dhariwal, arXiv 2102.09672, equation 17); has no ends. */
  COSINE("squaredcos_cap_v2") {
    @Override
    double beta(int t, int timesteps, double start, double end) {
      double next = signal((t + 1.0) / timesteps);
      return Math.min(1 - next / signal((double) t / timesteps), MOST);
    }

    @Override
    float betaAsDiffusers(int t, int timesteps, double start, double end) {
      return (float) beta(t, timesteps, start, end);
    }

    private double signal(double time) {
      double root = Math.cos((time + 0.008) / 1.008 * Math.PI / 2);
      return root * root;
    }
  };

  private static final double MOST = 0.999;

  private final String diffusers;

  Betas(String diffusers) {
    this.diffusers = diffusers;
  }

  /** Of a timestep, in fp64, as OpenAI's code has it. */
  abstract double beta(int t, int timesteps, double start, double end);

  /** The same in fp32, as diffusers has it. */
  abstract float betaAsDiffusers(int t, int timesteps, double start, double end);

  /** By diffusers' name, as {@link #toString} has it. */
  public static Betas of(String diffusers) {
    return Named.of(values(), diffusers, "beta schedule");
  }

  @Override
  public String toString() {
    return diffusers;
  }
}
